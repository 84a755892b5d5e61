#include "graph/initialise.h"

#include <algorithm>

#include "graph/shapes/rules.h"

namespace coppice::graph {

bool followed_by_relu(const Graph& graph, const std::string& name) {
  const auto consumers = graph.consumers(name);
  return std::any_of(consumers.begin(), consumers.end(), [&](const Node* node) {
    switch (node->op) {
      case Op::Relu:
        return true;
      case Op::BatchNorm:
      case Op::Add:
      case Op::MaxPool:
      case Op::AveragePool:
      case Op::GlobalAveragePool:
      case Op::Flatten:
      case Op::Dropout:
        return followed_by_relu(graph, node->name);
      default:
        return false;
    }
  });
}

double fan_in(const Tensor& weight) {
  return static_cast<double>(weight.size()) / static_cast<double>(weight.dim(0));
}

void fill_normal(Tensor& tensor, double standard_deviation, core::Rng& rng) {
  for (float& value : tensor.data<float>()) {
    value = static_cast<float>(rng.normal() * standard_deviation);
  }
}

void require_positive(const Node& node, std::string_view what, int64_t value) {
  if (value <= 0) {
    fail(node, "{} is {}, must be positive", what, value);
  }
}

}  // namespace coppice::graph
