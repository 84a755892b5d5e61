#pragma once

#include <onnx/onnx_pb.h>

namespace coppice::graph {

/// Puts one node in the place of several where exporters for older opsets write an op as its parts:
/// LayerNormalization (before opset 17) and HardSwish (before 14). The op's last node becomes it,
/// under its name; parts that nobody else reads go.
void fuse_patterns(onnx::GraphProto& graph);

}  // namespace coppice::graph
