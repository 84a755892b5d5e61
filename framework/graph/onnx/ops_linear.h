#pragma once

#include "graph/onnx/reader.h"

namespace coppice::graph {

void read_conv(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

/// Y = X W' + b with the bias [out] or [1, out].
void read_gemm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

/// A matrix times a constant, which is Gemm.
void read_matmul(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

}  // namespace coppice::graph
