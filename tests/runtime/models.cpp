#include "runtime/models.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "core/rng.h"

namespace coppice::runtime::testing {

using graph::DType;
using graph::Model;
using graph::Node;
using graph::Op;
using graph::Shape;
using graph::Tensor;

Tensor random_floats(const Shape& shape, uint64_t seed, double low, double high) {
  core::Rng rng(seed);
  Tensor tensor(DType::F32, shape);
  for (float& value : tensor.data<float>()) {
    value = static_cast<float>(rng.uniform(low, high));
  }
  return tensor;
}

Tensor random_integers(DType dtype, const Shape& shape, uint64_t seed) {
  core::Rng rng(seed);
  Tensor tensor(dtype, shape);
  for (int64_t i = 0; i < tensor.bytes_size(); ++i) {
    tensor.bytes()[i] = static_cast<std::byte>(rng.below(256));
  }
  return tensor;
}

Node make_node(std::string name,
               Op op,
               std::vector<std::string> inputs,
               graph::Attributes attributes) {
  Node node;
  node.name = std::move(name);
  node.op = op;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  return node;
}

Model make_model(const std::vector<Tensor>& activations,
                 graph::Weights weights,
                 std::vector<Node> nodes) {
  Model model;
  for (const Tensor& activation : activations) {
    Shape shape = activation.shape();
    shape[0] = graph::kBatch;
    model.graph.nodes.push_back(make_node(fmt::format("x{}", model.graph.nodes.size()),
                                          Op::Input,
                                          {},
                                          graph::InputAttributes{activation.dtype(), shape}));
  }
  model.weights = std::move(weights);
  for (Node& node : nodes) {
    model.graph.nodes.push_back(std::move(node));
  }
  model.graph.outputs = {model.graph.nodes.back().name};
  graph::infer_shapes(model);
  graph::verify(model);
  return model;
}

Model random_network(const graph::ModelOptions& options,
                     const graph::ModelInput& input,
                     uint64_t seed) {
  Model model = graph::build_model(options, input, seed);
  for (const Node& node : model.graph.nodes) {
    const bool has_bias = (node.op == Op::Conv || node.op == Op::Gemm) && node.inputs.size() > 2;
    const auto fill = [&](size_t operand, double low, double high) {
      Tensor& tensor = model.weights.at(node.inputs[operand]);
      tensor = random_floats(tensor.shape(), ++seed, low, high);
    };
    if (has_bias) {
      fill(2, -0.2, 0.2);
    } else if (node.op == Op::BatchNorm) {
      fill(1, 0.5, 1.5);
      fill(2, -0.3, 0.3);
      fill(3, -0.3, 0.3);
      fill(4, 0.5, 1.5);
    }
  }
  return model;
}

graph::ModelInput image_input(int64_t channels, int64_t size, DType dtype) {
  graph::ModelInput input;
  input.dtype = dtype;
  input.sample_shape = {channels, size, size};
  input.mean.assign(static_cast<size_t>(channels), 0);
  input.std.assign(static_cast<size_t>(channels), 1);
  for (size_t c = 0; c < input.mean.size(); ++c) {
    input.mean[c] = 70 + 9 * static_cast<double>(c);
    input.std[c] = 60 + 5 * static_cast<double>(c);
  }
  input.class_names = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  return input;
}

namespace {

Shape batched(const Node& node, int64_t batch) {
  Shape shape = node.shape;
  shape.at(0) = batch;
  return shape;
}

}  // namespace

std::vector<Tensor> run_engine(Engine& engine, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> outputs;
  for (const std::string& name : engine.model().graph.outputs) {
    const Node& node = engine.model().graph.at(name);
    outputs.emplace_back(node.dtype, batched(node, inputs.at(0).dim(0)));
  }
  engine.run(inputs, outputs);
  return outputs;
}

std::vector<Tensor> run_model(const Model& model,
                              const std::vector<Tensor>& inputs,
                              const std::string& backend) {
  EngineOptions options;
  options.backend = backend;
  options.max_batch = inputs.at(0).dim(0);
  return run_engine(*build_engine(model, options), inputs);
}

double relative_difference(const Tensor& a, const Tensor& b) {
  double difference = 0;
  double largest = 1e-30;
  for (size_t i = 0; i < b.data<float>().size(); ++i) {
    const double x = a.data<float>()[i];
    const double y = b.data<float>()[i];
    difference = std::max(difference, std::isnan(x) || std::isnan(y) ? 1e30 : std::abs(x - y));
    largest = std::max(largest, std::abs(y));
  }
  return difference / largest;
}

int64_t largest_step(const Tensor& a, const Tensor& b) {
  int64_t largest = 0;
  const auto value = [](const Tensor& tensor, int64_t i) {
    const auto byte = static_cast<uint8_t>(tensor.bytes()[i]);
    return tensor.dtype() == DType::U8 ? int64_t{byte} : int64_t{static_cast<int8_t>(byte)};
  };
  for (int64_t i = 0; i < b.size(); ++i) {
    largest = std::max(largest, std::abs(value(a, i) - value(b, i)));
  }
  return largest;
}

}  // namespace coppice::runtime::testing
