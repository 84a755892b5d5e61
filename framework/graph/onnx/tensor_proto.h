#pragma once

#include <string>

#include <onnx/onnx_pb.h>

#include "graph/tensor.h"

namespace coppice::graph {

class ExternalFolder;

int32_t to_onnx_dtype(DType dtype);

/// Throws Error{Unsupported} naming `what` for a type that no tensor here has.
DType from_onnx_dtype(int32_t type, std::string_view what);

onnx::TensorProto to_onnx_tensor(const std::string& name, const Tensor& tensor);

/// Whether the values are in another file.
bool is_external(const onnx::TensorProto& proto);

/// Values from raw_data, the typed field, or a file of `folder`. Throws Error{Corrupt} naming the
/// tensor when dimensions and data do not agree, which is checked before anything is allocated, and
/// Error{Unsupported} for other dtypes, and for data outside the file where there is no `folder`.
Tensor from_onnx_tensor(const onnx::TensorProto& proto,
                        std::string_view name,
                        ExternalFolder* folder = nullptr);

}  // namespace coppice::graph
