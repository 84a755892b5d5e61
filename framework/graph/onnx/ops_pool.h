#pragma once

#include "graph/onnx/reader.h"

namespace coppice::graph {

void read_max_pool(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes);
void read_average_pool(OnnxReader& reader,
                       const onnx::NodeProto& node,
                       AttributeReader& attributes);
void read_global_average_pool(OnnxReader& reader,
                              const onnx::NodeProto& node,
                              AttributeReader& attributes);
void read_global_max_pool(OnnxReader& reader,
                          const onnx::NodeProto& node,
                          AttributeReader& attributes);

}  // namespace coppice::graph
