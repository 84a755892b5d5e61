#pragma once

#include <string>

#include <onnx/onnx_pb.h>

#include "graph/tensor.h"

namespace coppice::graph {

int32_t to_onnx_dtype(DType dtype);

/// Throws Error{Unsupported} naming `what` for a type that no tensor here has.
DType from_onnx_dtype(int32_t type, std::string_view what);

onnx::TensorProto to_onnx_tensor(const std::string& name, const Tensor& tensor);

/// Values from raw_data or the typed field. Throws Error{Corrupt} naming the tensor when dimensions
/// and data do not agree, which is checked before anything is allocated, and Error{Unsupported} for
/// other dtypes and data outside the file.
Tensor from_onnx_tensor(const onnx::TensorProto& proto, std::string_view name);

}  // namespace coppice::graph
