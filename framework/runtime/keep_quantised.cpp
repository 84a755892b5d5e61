#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "runtime/quantised.h"

namespace coppice::runtime {

namespace {

using graph::DType;
using graph::Model;
using graph::Node;
using graph::Op;

/// Ops that only move values or pick the largest: they commute exactly with per-tensor
/// quantisation, which is monotonic.
bool commutes(const Node* node) {
  if (node == nullptr) {
    return false;
  }
  if (node->op == Op::Resize) {
    return node->as<graph::ResizeAttributes>().mode == graph::ResizeMode::Nearest;
  }
  return node->op == Op::Flatten || node->op == Op::Reshape || node->op == Op::Slice ||
         node->op == Op::Transpose || node->op == Op::MaxPool;
}

class Names {
 public:
  explicit Names(const Model& model) {
    for (const Node& node : model.graph.nodes) {
      taken_.insert(node.name);
    }
    for (const auto& [name, weight] : model.weights) {
      taken_.insert(name);
    }
  }

  std::string fresh(std::string name) {
    while (!taken_.insert(name).second) {
      name += "'";
    }
    return name;
  }

 private:
  std::set<std::string> taken_;
};

/// MaxPool(DQ(x)) becomes DQ(MaxPool(x)); the new DQ bears the pool's name.
void lower_dequantisations(Model& model) {
  Names names(model);
  std::vector<Node> nodes;
  const auto made = [&](const std::string& name) -> const Node* {
    const auto it = std::find_if(
        nodes.rbegin(), nodes.rend(), [&](const Node& node) { return node.name == name; });
    return it == nodes.rend() ? nullptr : &*it;
  };
  for (Node& node : model.graph.nodes) {
    const Node* source = commutes(&node) ? made(node.inputs[0]) : nullptr;
    const Node* bytes =
        source != nullptr && source->op == Op::DequantizeLinear ? made(source->inputs[0]) : nullptr;
    if (bytes == nullptr || bytes->dtype == DType::I32 ||
        model.weight(source->inputs[1]).size() != 1) {
      nodes.push_back(std::move(node));
      continue;
    }
    Node dequantise = *source;
    dequantise.shape = node.shape;
    node.dtype = bytes->dtype;
    node.inputs[0] = bytes->name;
    dequantise.name = std::exchange(node.name, names.fresh(node.name + "/8bit"));
    dequantise.inputs[0] = node.name;
    nodes.push_back(std::move(node));
    nodes.push_back(std::move(dequantise));
  }
  model.graph.nodes = std::move(nodes);
}

/// Q(MaxPool(x)) becomes MaxPool(Q(x)). The two nodes swap their ops and keep their names, which
/// nobody else reads.
void raise_quantisations(Model& model) {
  const ModelIndex index(model);
  for (auto it = model.graph.nodes.rbegin(); it != model.graph.nodes.rend(); ++it) {
    if (it->op != Op::QuantizeLinear || model.weight(it->inputs[1]).size() != 1) {
      continue;
    }
    Node* quantise = &*it;
    while (true) {
      const Node* before = index.private_node(quantise->inputs[0]);
      const Node* source = commutes(before) ? index.private_node(before->inputs[0]) : nullptr;
      if (source == nullptr) {
        break;
      }
      Node* moved = model.graph.find(before->name);
      std::swap(moved->op, quantise->op);
      std::swap(moved->attributes, quantise->attributes);
      std::swap(moved->inputs, quantise->inputs);
      moved->inputs[0] = source->name;
      quantise->inputs[0] = moved->name;
      moved->dtype = quantise->dtype;
      moved->shape = source->shape;
      quantise = moved;
    }
  }
}

}  // namespace

Model keep_quantised(Model model) {
  lower_dequantisations(model);
  raise_quantisations(model);
  return model;
}

}  // namespace coppice::runtime
