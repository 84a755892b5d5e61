#include "graph/passes/rewire.h"

#include <algorithm>

#include <fmt/format.h>

namespace coppice::graph {

void replace_uses(Graph& graph, const std::string& from, const std::string& to) {
  for (Node& node : graph.nodes) {
    std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  }
  std::replace(graph.outputs.begin(), graph.outputs.end(), from, to);
}

bool is_output(const Graph& graph, const std::string& name) {
  return std::find(graph.outputs.begin(), graph.outputs.end(), name) != graph.outputs.end();
}

std::string free_name(const Model& model, const std::string& stem) {
  std::string name = stem;
  for (int i = 2; model.is_weight(name) || model.graph.find(name) != nullptr; ++i) {
    name = fmt::format("{}{}", stem, i);
  }
  return name;
}

}  // namespace coppice::graph
