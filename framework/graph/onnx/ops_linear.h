#pragma once

#include "graph/onnx/reader.h"

/// Readers of products.
namespace coppice::graph {

void read_conv(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_conv_transpose(OnnxReader& reader,
                         const onnx::NodeProto& node,
                         AttributeReader& attributes);
void read_gemm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_matmul(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

}  // namespace coppice::graph
