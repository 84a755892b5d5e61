#pragma once

#include "graph/onnx/reader.h"

/// Readers of ops that work value by value. They take views as they are.
namespace coppice::graph {

/// An op without attributes, one input.
void read_unary(OnnxReader& reader,
                const onnx::NodeProto& node,
                AttributeReader& attributes,
                Op op);
/// Add, Sub, Mul, Div, PRelu.
void read_binary(OnnxReader& reader,
                 const onnx::NodeProto& node,
                 AttributeReader& attributes,
                 Op op);
void read_batch_norm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_leaky_relu(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_clip(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_hard_sigmoid(OnnxReader& reader,
                       const onnx::NodeProto& node,
                       AttributeReader& attributes);
void read_pow(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_dropout(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_identity(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);

}  // namespace coppice::graph
