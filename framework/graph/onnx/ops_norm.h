#pragma once

#include "graph/onnx/reader.h"

/// Readers of what works along dimensions: norms, means, Softmax.
namespace coppice::graph {

void read_softmax(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_layer_norm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_reduce_mean(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

// ops_recurrent.cpp
void read_lstm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_gru(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

}  // namespace coppice::graph
