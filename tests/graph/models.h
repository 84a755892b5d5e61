#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"
#include "graph/builder.h"
#include "graph/graph.h"
#include "graph/zoo.h"

namespace coppice::graph::testing {

inline Node node_of(std::string name,
                    Op op,
                    std::vector<std::string> inputs,
                    Attributes attributes = {}) {
  Node node;
  node.name = std::move(name);
  node.op = op;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  return node;
}

/// Values from a seeded stream, so that no two weights are equal by chance.
inline Tensor random_tensor(const Shape& shape, uint64_t seed, double low = -1, double high = 1) {
  core::Rng rng(seed);
  Tensor tensor(DType::F32, shape);
  for (float& value : tensor.data<float>()) {
    value = static_cast<float>(rng.uniform(low, high));
  }
  return tensor;
}

inline Tensor scalar(float value) {
  return Tensor::from<float>({}, std::vector<float>{value});
}

/// Inputs of these shapes (batch left out), weights, nodes; shapes inferred; the last node is the
/// output.
inline Model model_of(const std::map<std::string, Shape>& inputs,
                      Weights weights,
                      const std::vector<Node>& nodes,
                      DType dtype = DType::F32) {
  Model model;
  for (const auto& [name, sample] : inputs) {
    Shape shape = sample;
    shape.insert(shape.begin(), kBatch);
    model.graph.nodes.push_back(node_of(name, Op::Input, {}, InputAttributes{dtype, shape}));
  }
  model.weights = std::move(weights);
  model.graph.nodes.insert(model.graph.nodes.end(), nodes.begin(), nodes.end());
  model.graph.outputs = {model.graph.nodes.back().name};
  infer_shapes(model);
  return model;
}

/// Every op at least once, a float branch and a quantised one with an output each.
inline Model model_with_every_op() {
  Builder builder(DType::U8, {2, 8, 8}, core::Rng(7));
  std::string x = builder.normalise(builder.input(), {10, 20}, {3, 4});
  x = builder.relu(builder.batch_norm(
      builder.conv(x, 4, {.kernel = {3, 3}, .pads = {1, 1, 1, 1}, .groups = 2}, true)));
  const std::string pooled = builder.max_pool(x);
  x = builder.add(builder.conv(pooled, 4, {}, false), pooled);
  x = builder.flatten(builder.global_average_pool(x));
  x = builder.gemm(builder.dropout(x, 0.25), 3);
  Model model = builder.build({x});

  auto& nodes = model.graph.nodes;
  nodes.push_back(
      node_of("average", Op::AveragePool, {pooled}, PoolAttributes{.pads = {1, 0, 1, 0}}));
  nodes.push_back(node_of("leaky", Op::LeakyRelu, {pooled}, LeakyReluAttributes{0.1F}));
  nodes.push_back(node_of("clipped", Op::Clip, {"leaky"}, ClipAttributes{-0.05F, 1.5F}));
  nodes.push_back(node_of("swished", Op::HardSwish, {"clipped"}));
  nodes.push_back(node_of("squashed", Op::Tanh, {"swished"}));
  nodes.push_back(node_of("gate", Op::Sigmoid, {"squashed"}));
  nodes.push_back(node_of("error", Op::Erf, {"gate"}));
  nodes.push_back(node_of("larger", Op::Resize, {"error"}, ResizeAttributes{{2, 3}}));
  nodes.push_back(node_of("rectified", Op::PRelu, {"larger", "slope"}));
  nodes.push_back(node_of("spread",
                          Op::ConvTranspose,
                          {"rectified", "up.weight", "up.bias"},
                          ConvTransposeAttributes{.kernel = {2, 3},
                                                  .stride = {1, 2},
                                                  .pads = {0, 1, 0, 1},
                                                  .output_padding = {0, 1},
                                                  .groups = 2}));
  nodes.push_back(node_of(
      "framed", Op::Pad, {"spread"}, PadAttributes{{0, 0, 1, 0, 0, 0, 0, 2}, PadMode::Reflect}));
  nodes.push_back(node_of(
      "smaller", Op::Resize, {"framed"}, ResizeAttributes{{2, 2}, ResizeMode::Linear, {5, 7}}));
  nodes.push_back(node_of("columns", Op::ReduceMean, {"smaller"}, ReduceAttributes{{2}}));
  nodes.push_back(node_of("steps", Op::Reshape, {"columns"}, ReshapeAttributes{{4, 7}}));
  nodes.push_back(node_of("time", Op::Transpose, {"steps"}, TransposeAttributes{{0, 2, 1}}));
  nodes.push_back(node_of("even", Op::Slice, {"time"}, SliceAttributes{1, 0, 7, 2}));
  nodes.push_back(node_of("wide", Op::MatMul, {"even", "wide.weight"}));
  nodes.push_back(node_of("scores", Op::MatMul, {"wide", "time"}));
  nodes.push_back(node_of("normal",
                          Op::LayerNorm,
                          {"scores", "norm.scale", "norm.bias"},
                          LayerNormAttributes{2, 1e-3F}));
  nodes.push_back(node_of("memory",
                          Op::Lstm,
                          {"normal", "lstm.weight", "lstm.recurrent", "lstm.bias"},
                          RecurrentAttributes{.reverse = true}));
  nodes.push_back(node_of(
      "last_memory", Op::Gru, {"memory", "gru.weight", "gru.recurrent"}, RecurrentAttributes{}));
  nodes.push_back(node_of("part", Op::Slice, {"larger"}, SliceAttributes{3, 1, 6}));
  nodes.push_back(node_of("rows", Op::Reshape, {"part"}, ReshapeAttributes{{4, 40}}));
  nodes.push_back(
      node_of("smooth", Op::Dropout, {"rows"}, DropoutAttributes{0.5F, DropoutGrain::Channel}));
  nodes.push_back(node_of("joined", Op::Concat, {"average", "average"}, AxisAttributes{1}));
  nodes.push_back(node_of("doubled", Op::Mul, {"joined", "two"}));
  nodes.push_back(
      node_of("q", Op::QuantizeLinear, {"doubled", "q.scale", "q.zero"}, AxisAttributes{1}));
  nodes.push_back(
      node_of("dq", Op::DequantizeLinear, {"q", "q.scale", "q.zero"}, AxisAttributes{1}));
  nodes.push_back(
      node_of("w", Op::DequantizeLinear, {"w.i8", "w.scale", "w.zero"}, AxisAttributes{0}));
  nodes.push_back(
      node_of("b", Op::DequantizeLinear, {"b.i32", "w.scale", "b.zero"}, AxisAttributes{0}));
  nodes.push_back(node_of("last", Op::Conv, {"dq", "w", "b"}, ConvAttributes{.kernel = {3, 2}}));
  nodes.push_back(node_of("flat", Op::Flatten, {"last"}));
  nodes.push_back(node_of("probabilities", Op::Softmax, {"flat"}, AxisAttributes{1}));
  model.weights["slope"] = random_tensor({4, 1, 1}, 11);
  model.weights["up.weight"] = random_tensor({4, 2, 2, 3}, 12);
  model.weights["up.bias"] = random_tensor({4}, 13);
  model.weights["wide.weight"] = random_tensor({4, 7}, 14);
  model.weights["norm.scale"] = random_tensor({4}, 15);
  model.weights["norm.bias"] = random_tensor({4}, 16);
  model.weights["lstm.weight"] = random_tensor({1, 12, 4}, 17);
  model.weights["lstm.recurrent"] = random_tensor({1, 12, 3}, 18);
  model.weights["lstm.bias"] = random_tensor({1, 24}, 19);
  model.weights["gru.weight"] = random_tensor({1, 6, 3}, 20);
  model.weights["gru.recurrent"] = random_tensor({1, 6, 2}, 21);
  model.weights["two"] = scalar(2);
  model.weights["q.scale"] = scalar(0.1F);
  model.weights["q.zero"] = Tensor(DType::U8, {});
  model.weights["w.i8"] = Tensor::from<int8_t>({2, 8, 3, 2}, std::vector<int8_t>(96, -3));
  model.weights["w.scale"] = Tensor::from<float>({2}, std::vector<float>{0.5F, 0.25F});
  model.weights["w.zero"] = Tensor(DType::I8, {2});
  model.weights["b.i32"] = Tensor::from<int32_t>({2}, std::vector<int32_t>{70000, -70000});
  model.weights["b.zero"] = Tensor(DType::I32, {2});
  model.graph.outputs = {x, "probabilities", "smooth", "last_memory"};
  model.metadata = {"every op", "classification", {"a", "b \"quoted\"", "ü"}, {{"dataset", "abc"}}};
  infer_shapes(model);
  verify(model);
  return model;
}

inline ModelInput fashion_input() {
  ModelInput input;
  input.mean = {72.9};
  input.std = {90.0};
  for (int i = 0; i < 10; ++i) {
    input.class_names.push_back("class " + std::to_string(i));
  }
  return input;
}

struct ZooExample {
  ModelOptions options;
  ModelInput input;
};

/// A small instance of a network of the zoo, on bytes.
inline ZooExample zoo_example(const std::string& name) {
  ZooExample example{{.name = name, .widths = {4, 8}, .width_multiplier = 0.125}, fashion_input()};
  if (name == "cnn1d" || name == "tcn") {
    example.input.sample_shape = {3, 20};
  } else if (name == "layers") {
    const auto layer = [](std::string type, std::string layer_name = "") {
      LayerOptions options;
      options.type = std::move(type);
      options.name = std::move(layer_name);
      return options;
    };
    example.options.layers = {layer("conv", "stem"),
                              layer("bn"),
                              layer("hard_swish", "stem_out"),
                              layer("depthwise"),
                              layer("gelu"),
                              layer("add"),
                              layer("max_pool"),
                              layer("silu"),
                              layer("flatten")};
    example.options.layers[0].width = 6;
    example.options.layers[5].from = {"stem_out"};
  }
  return example;
}

/// Runs `action` and returns the message of the Error of this kind that it throws; a failure
/// otherwise.
template <class Action>
std::string message_of(core::ErrorKind kind, Action&& action) {
  try {
    action();
  } catch (const core::Error& error) {
    EXPECT_EQ(core::to_string(error.kind()), core::to_string(kind)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace coppice::graph::testing
