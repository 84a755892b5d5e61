#pragma once

#include <onnx/onnx_pb.h>

#include "graph/graph.h"

namespace coppice::graph {

/// Properties "coppice.name", "coppice.task", "coppice.classes" (a JSON list),
/// "coppice.anomaly_threshold" where there is one and "coppice.lineage.<key>". Throws
/// Error{InvalidArgument} for a class name that is not UTF-8.
void write_onnx_metadata(const Metadata& metadata, onnx::ModelProto& proto);

/// Other properties are left alone. Throws Error{Corrupt}.
Metadata read_onnx_metadata(const onnx::ModelProto& proto);

}  // namespace coppice::graph
