#pragma once

#include "graph/onnx/reader.h"

namespace coppice::graph {

/// The batch stays: [batch, features] is Flatten, more dimensions are Reshape.
void read_reshape(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

/// Nearest neighbour by whole factors.
void read_resize(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

/// Positions of one axis, in steps of 1; since opset 10 the limits are inputs.
void read_slice(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

}  // namespace coppice::graph
