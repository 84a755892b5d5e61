#include "graph/graph.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::graph {

const Node* Graph::find(std::string_view name) const {
  const auto it =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == name; });
  return it == nodes.end() ? nullptr : &*it;
}

Node* Graph::find(std::string_view name) {
  const auto it =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == name; });
  return it == nodes.end() ? nullptr : &*it;
}

const Node& Graph::at(std::string_view name) const {
  if (const Node* node = find(name)) {
    return *node;
  }
  std::vector<std::string_view> names;
  for (const Node& node : nodes) {
    names.emplace_back(node.name);
  }
  throw core::Error(
      core::ErrorKind::NotFound,
      fmt::format("the graph has no node '{}'{}", name, core::did_you_mean(name, names)));
}

std::vector<const Node*> Graph::consumers(std::string_view name) const {
  std::vector<const Node*> result;
  for (const Node& node : nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), name) != node.inputs.end()) {
      result.push_back(&node);
    }
  }
  return result;
}

std::vector<const Node*> Graph::inputs() const {
  std::vector<const Node*> result;
  for (const Node& node : nodes) {
    if (node.op == Op::Input) {
      result.push_back(&node);
    }
  }
  return result;
}

bool Model::is_weight(std::string_view name) const {
  return weights.contains(std::string(name));
}

const Tensor& Model::weight(const std::string& name) const {
  const auto it = weights.find(name);
  if (it != weights.end()) {
    return it->second;
  }
  std::vector<std::string_view> names;
  for (const auto& [key, tensor] : weights) {
    names.emplace_back(key);
  }
  throw core::Error(
      core::ErrorKind::NotFound,
      fmt::format("the model has no weight '{}'{}", name, core::did_you_mean(name, names)));
}

}  // namespace coppice::graph
