#include "loop/scratch.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "core/rng.h"
#include "graph/initialise.h"

namespace coppice::loop {

namespace {

graph::Tensor constant(const graph::Shape& shape, float value) {
  graph::Tensor tensor(graph::DType::F32, shape);
  const auto values = tensor.data<float>();
  std::fill(values.begin(), values.end(), value);
  return tensor;
}

void redraw_batch_norm(graph::Model& model, const graph::Node& node) {
  constexpr float kFresh[] = {1, 0, 0, 1};  // scale, bias, mean, variance
  for (size_t part = 0; part < std::size(kFresh); ++part) {
    graph::Tensor& weight = model.weights.at(node.inputs.at(part + 1));
    weight = constant(weight.shape(), kFresh[part]);
  }
}

void redraw_product(graph::Model& model, const graph::Node& node, core::Rng rng) {
  graph::Tensor& weight = model.weights.at(node.inputs[1]);
  graph::Tensor fresh(graph::DType::F32, weight.shape());
  graph::fill_normal(
      fresh, std::sqrt(graph::next_gain(model.graph, node.name) / graph::fan_in(fresh)), rng);
  weight = std::move(fresh);
  if (node.inputs.size() > 2) {
    graph::Tensor& bias = model.weights.at(node.inputs[2]);
    bias = constant(bias.shape(), 0);
  }
}

}  // namespace

graph::Model redraw_weights(graph::Model model, uint64_t seed) {
  const core::Rng rng(seed);
  for (const graph::Node& node : model.graph.nodes) {
    switch (node.op) {
      case graph::Op::BatchNorm:
        redraw_batch_norm(model, node);
        break;
      case graph::Op::Conv:
      case graph::Op::Gemm:
        if (!model.is_weight(node.inputs[1])) {
          throw core::Error(core::ErrorKind::Unsupported,
                            fmt::format("node '{}' has quantised weights, which can't be trained "
                                        "from scratch",
                                        node.name));
        }
        redraw_product(model, node, rng.split(node.name));
        break;
      case graph::Op::Lstm:
      case graph::Op::Gru:
        throw core::Error(core::ErrorKind::Unsupported,
                          fmt::format("node '{}': weights of recurrent layers can't be drawn anew; "
                                      "set control: false",
                                      node.name));
      default:
        break;
    }
  }
  return model;
}

}  // namespace coppice::loop
