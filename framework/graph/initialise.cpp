#include "graph/initialise.h"

#include <algorithm>

#include "graph/shapes/rules.h"

namespace coppice::graph {

double next_gain(const Graph& graph, const std::string& name) {
  double gain = 1;
  for (const Node* node : graph.consumers(name)) {
    switch (node->op) {
      case Op::Relu:
      case Op::Clip:
      case Op::HardSwish:
        return 2;
      case Op::LeakyRelu: {
        const double slope = node->as<LeakyReluAttributes>().slope;
        return 2 / (1 + slope * slope);
      }
      case Op::Mul:  // x times a gate made of x, as in SiLU and GELU, but not x times a constant
        if (graph.find(node->inputs[0]) != nullptr && graph.find(node->inputs[1]) != nullptr) {
          return 2;
        }
        break;
      case Op::BatchNorm:
      case Op::Add:
      case Op::MaxPool:
      case Op::AveragePool:
      case Op::GlobalAveragePool:
      case Op::Resize:
      case Op::Flatten:
      case Op::Reshape:
      case Op::Pad:
      case Op::ReduceMean:
      case Op::Transpose:
      case Op::Slice:
      case Op::Concat:
      case Op::Dropout:
        gain = std::max(gain, next_gain(graph, node->name));
        break;
      default:
        break;
    }
  }
  return gain;
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
