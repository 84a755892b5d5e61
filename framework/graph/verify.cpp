#include <set>

#include "graph/shapes/rules.h"

namespace coppice::graph {

namespace {

void verify_outputs(const Model& model, const Scope& scope) {
  const auto refuse = [](std::string_view name, std::string_view why) {
    throw core::Error(core::ErrorKind::InvalidArgument, fmt::format("output '{}' {}", name, why));
  };
  if (model.graph.outputs.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument, "the graph has no outputs");
  }
  std::set<std::string_view> seen;
  for (const std::string& output : model.graph.outputs) {
    const Node* node = scope.find(output);
    if (node == nullptr) {
      refuse(output, "names no node");
    } else if (node->shape.empty() || node->shape[0] != kBatch) {
      refuse(output, "does not depend on an input");
    }
    if (!seen.insert(output).second) {
      refuse(output, "is listed twice");
    }
  }
}

}  // namespace

void verify(const Model& model) {
  Scope scope(model.weights);
  for (const Node& node : model.graph.nodes) {
    const ValueType type = infer_node(node, scope.operands(node));
    if (type.dtype != node.dtype || type.shape != node.shape) {
      fail(node,
           "is marked {} {}, makes {} {}: infer_shapes was not run",
           to_string(node.dtype),
           to_string(node.shape),
           to_string(type.dtype),
           to_string(type.shape));
    }
    scope.define(node);
  }
  verify_outputs(model, scope);
}

}  // namespace coppice::graph
