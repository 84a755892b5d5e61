#pragma once

#include <onnx/onnx_pb.h>

#include "graph/onnx/attribute_reader.h"

namespace coppice::graph {

class OnnxReader;

/// Computes a node that reads constants alone, or shapes, as exporters write them to name the shape
/// of a view or a pad. False for every other node. Throws Error{Corrupt, Unsupported} as the ops'
/// readers do; no constant larger than the file's own tensors or 2^20 values is made.
bool fold_constant(OnnxReader& reader, const onnx::NodeProto& node);

}  // namespace coppice::graph
