#pragma once

#include "graph/onnx/reader.h"

/// Readers of ops that move values.
namespace coppice::graph {

void read_reshape(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_squeeze(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_unsqueeze(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_transpose(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_pad(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

// Parts of one dimension: ops_parts.cpp.
void read_slice(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_split(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_gather(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_concat(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

// ops_resize.cpp
void read_resize(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

}  // namespace coppice::graph
