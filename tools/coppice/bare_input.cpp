#include "coppice/bare_input.h"

#include <algorithm>

#include "graph/pass.h"
#include "graph/passes/rewire.h"

namespace coppice::tools {

namespace {

using graph::DType;
using graph::Model;
using graph::Node;
using graph::Op;

bool is_filled_with(const Model& model, const std::string& name, float wanted) {
  if (!model.is_weight(name) || model.weight(name).dtype() != DType::F32) {
    return false;
  }
  const auto values = model.weight(name).data<float>();
  return std::all_of(values.begin(), values.end(), [&](float v) { return v == wanted; });
}

bool is_idle(const Model& model, const Node& node) {
  switch (node.op) {
    case Op::Cast:
      return model.graph.at(node.inputs[0]).dtype == node.dtype;
    case Op::Sub:
      return is_filled_with(model, node.inputs[1], 0);
    case Op::Div:
      return is_filled_with(model, node.inputs[1], 1);
    default:
      return false;
  }
}

}  // namespace

Model without_idle_preprocessing(Model model) {
  auto& nodes = model.graph.nodes;
  for (size_t i = 0; i < nodes.size();) {
    const bool reads_node = !nodes[i].inputs.empty() && !model.is_weight(nodes[i].inputs[0]);
    if (!reads_node || graph::is_output(model.graph, nodes[i].name) ||
        nodes[i].shape != model.graph.at(nodes[i].inputs[0]).shape || !is_idle(model, nodes[i])) {
      ++i;
      continue;
    }
    const std::string name = nodes[i].name;
    const std::string source = nodes[i].inputs[0];
    nodes.erase(nodes.begin() + static_cast<ptrdiff_t>(i));
    graph::replace_uses(model.graph, name, source);
  }
  std::vector<std::unique_ptr<graph::Pass>> passes;
  passes.push_back(graph::make_remove_unused());
  return graph::run_passes(std::move(model), passes);
}

}  // namespace coppice::tools
