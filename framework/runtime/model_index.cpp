#include "runtime/model_index.h"

#include <algorithm>
#include <vector>

#include "runtime/reference/kernel.h"

namespace coppice::runtime {

using graph::Node;
using graph::Op;
using graph::Tensor;

ModelIndex::ModelIndex(const graph::Model& model) : model_(&model) {
  for (const Node& node : model.graph.nodes) {
    nodes_.emplace(node.name, &node);
    bool constant = node.op != Op::Input;
    for (const std::string& input : node.inputs) {
      ++uses_[input];
      constant = constant && is_constant(input);
    }
    constant_nodes_.emplace(node.name, constant);
  }
  for (const std::string& output : model.graph.outputs) {
    ++uses_[output];
  }
}

const Node* ModelIndex::node(std::string_view name) const {
  const auto it = nodes_.find(name);
  return it == nodes_.end() ? nullptr : it->second;
}

const Node* ModelIndex::private_node(std::string_view name) const {
  return uses(name) == 1 ? node(name) : nullptr;
}

int64_t ModelIndex::uses(std::string_view name) const {
  const auto it = uses_.find(name);
  return it == uses_.end() ? 0 : it->second;
}

bool ModelIndex::is_constant(const std::string& name) const {
  const auto it = constant_nodes_.find(name);
  return it == constant_nodes_.end() ? model_->is_weight(name) : it->second;
}

const Tensor& ModelIndex::constant(const std::string& name) {
  if (model_->is_weight(name)) {
    return model_->weight(name);
  }
  if (const auto it = folded_.find(name); it != folded_.end()) {
    return it->second;
  }
  const Node& source = model_->graph.at(name);
  std::vector<reference::View> views;
  for (const std::string& input : source.inputs) {
    views.push_back(reference::view_of(constant(input)));
  }
  std::vector<const reference::View*> operands;
  std::transform(views.begin(), views.end(), std::back_inserter(operands), [](const auto& view) {
    return &view;
  });
  const Tensor result(source.dtype, source.shape);
  reference::run_node(source, operands, reference::view_of(result));
  return folded_.emplace(name, result).first->second;
}

}  // namespace coppice::runtime
