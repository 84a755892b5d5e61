#include <algorithm>
#include <unordered_set>

#include "graph/pass.h"

namespace coppice::graph {

namespace {

class RemoveUnused final : public Pass {
 public:
  std::string_view name() const override { return "remove_unused"; }

  Model apply(Model model) const override {
    auto& nodes = model.graph.nodes;
    std::unordered_set<std::string> needed(model.graph.outputs.begin(), model.graph.outputs.end());
    std::for_each(nodes.rbegin(), nodes.rend(), [&](const Node& node) {
      if (needed.contains(node.name)) {
        needed.insert(node.inputs.begin(), node.inputs.end());
      }
    });
    // An input stays: it is part of how the model is called.
    std::erase_if(nodes, [&](const Node& node) {
      return node.op != Op::Input && !needed.contains(node.name);
    });
    std::erase_if(model.weights,
                  [&](const auto& weight) { return !needed.contains(weight.first); });
    return model;
  }
};

}  // namespace

std::unique_ptr<Pass> make_remove_unused() {
  return std::make_unique<RemoveUnused>();
}

}  // namespace coppice::graph
