#include <algorithm>

#include "graph/pass.h"
#include "graph/passes/rewire.h"

namespace coppice::graph {

namespace {

class RemoveDropout final : public Pass {
 public:
  std::string_view name() const override { return "remove_dropout"; }

  Model apply(Model model) const override {
    Graph& graph = model.graph;
    for (size_t i = 0; i < graph.nodes.size();) {
      const Node node = graph.nodes[i];
      // The graph keeps a dropout whose removal would list one output twice.
      const bool needed =
          node.op == Op::Dropout && is_output(graph, node.name) && is_output(graph, node.inputs[0]);
      if (node.op != Op::Dropout || needed) {
        ++i;
        continue;
      }
      replace_uses(graph, node.name, node.inputs[0]);
      graph.nodes.erase(graph.nodes.begin() + static_cast<ptrdiff_t>(i));
    }
    return model;
  }
};

}  // namespace

std::unique_ptr<Pass> make_remove_dropout() {
  return std::make_unique<RemoveDropout>();
}

}  // namespace coppice::graph
