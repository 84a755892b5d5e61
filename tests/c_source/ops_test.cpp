// Single ops and small graphs beside the reference backend; those without a C form.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "c_source/compiled.h"
#include "core/error.h"
#include "runtime/models.h"

namespace coppice::c_source::testing {
namespace {

using graph::DType;
using graph::Model;
using graph::Node;
using graph::Op;
using graph::Shape;
using graph::Tensor;
using runtime::testing::make_model;
using runtime::testing::make_node;
using runtime::testing::random_floats;
using runtime::testing::random_integers;
using ::testing::AllOf;
using ::testing::HasSubstr;

void expect_same(const std::vector<Tensor>& activations,
                 graph::Weights weights,
                 std::vector<Node> nodes) {
  expect_reference_outputs(make_model(activations, std::move(weights), std::move(nodes)),
                           activations);
}

Tensor scalar_of(float value) {
  return Tensor::from<float>({}, std::vector<float>{value});
}

TEST(CSourceOps, ConvolutionsOfEveryGeometry) {
  const std::vector<graph::ConvAttributes> geometries{
      {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
      {{3, 3}, {2, 2}, {0, 1, 1, 0}, {1, 1}, 2},
      {{1, 5}, {1, 3}, {0, 4, 0, 0}, {1, 2}, 4},
      {{5, 1}, {2, 1}, {3, 0, 3, 0}, {1, 1}, 1},
      {{3, 3}, {1, 1}, {4, 4, 4, 4}, {3, 2}, 1},
      {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
      {{2, 2}, {3, 3}, {0, 0, 0, 0}, {1, 1}, 4},
  };
  std::vector<Node> nodes;
  graph::Weights weights;
  const Tensor x = random_floats({2, 4, 11, 13}, 1);
  for (const auto& geometry : geometries) {
    const std::string name = "conv" + std::to_string(nodes.size());
    weights[name + "_w"] = random_floats(
        {8, 4 / geometry.groups, geometry.kernel[0], geometry.kernel[1]}, nodes.size() + 7);
    std::vector<Node> one{make_node(name, Op::Conv, {"x0", name + "_w"}, geometry)};
    if (nodes.size() % 2 == 0) {
      weights[name + "_b"] = random_floats({8}, nodes.size() + 70);
      one[0].inputs.push_back(name + "_b");
    }
    expect_same({x}, weights, one);
    nodes.push_back(one[0]);
  }
}

TEST(CSourceOps, OperandsSpread) {
  const Tensor x = random_floats({2, 3, 4, 5}, 1);
  const Tensor gate = random_floats({2, 3, 1, 1}, 2);
  graph::Weights weights{{"by_channel", random_floats({3, 1, 1}, 3, 0.5, 2)},
                         {"by_column", random_floats({5}, 4, 0.5, 2)},
                         {"by_row", random_floats({1, 4, 1}, 5)},
                         {"all", random_floats({3, 4, 5}, 6)},
                         {"one", scalar_of(-0.25F)}};
  expect_same({x, gate},
              weights,
              {make_node("a", Op::Sub, {"x0", "by_channel"}),
               make_node("b", Op::Div, {"a", "by_column"}),
               make_node("c", Op::Mul, {"b", "x1"}),
               make_node("d", Op::Add, {"c", "by_row"}),
               make_node("e", Op::PRelu, {"d", "by_channel"}),
               make_node("f", Op::Sub, {"all", "e"}),
               make_node("g", Op::Mul, {"f", "one"})});
}

TEST(CSourceOps, ActivationsAndNormalisation) {
  const Tensor x = random_floats({2, 3, 4, 5}, 1, -7, 7);
  graph::Weights weights{{"scale", random_floats({3}, 2)},
                         {"bias", random_floats({3}, 3)},
                         {"mean", random_floats({3}, 4)},
                         {"variance", random_floats({3}, 5, 0.5, 2)}};
  expect_same({x},
              weights,
              {make_node("sigmoid", Op::Sigmoid, {"x0"}),
               make_node("tanh", Op::Tanh, {"x0"}),
               make_node("swish", Op::HardSwish, {"x0"}),
               make_node("erf", Op::Erf, {"x0"}),
               make_node("leaky", Op::LeakyRelu, {"x0"}, graph::LeakyReluAttributes{0.2F}),
               make_node("relu", Op::Relu, {"x0"}),
               make_node("clip", Op::Clip, {"x0"}, graph::ClipAttributes{-1, 2.5}),
               make_node("norm",
                         Op::BatchNorm,
                         {"relu", "scale", "bias", "mean", "variance"},
                         graph::BatchNormAttributes{}),
               make_node("s1", Op::Add, {"sigmoid", "tanh"}),
               make_node("s2", Op::Add, {"swish", "erf"}),
               make_node("s3", Op::Add, {"leaky", "clip"}),
               make_node("s4", Op::Add, {"s1", "s2"}),
               make_node("s5", Op::Mul, {"s3", "norm"}),
               make_node("s6", Op::Add, {"s4", "s5"})});
}

TEST(CSourceOps, PoolingAndMeans) {
  const Tensor x = random_floats({2, 3, 8, 9}, 1);
  const graph::PoolAttributes pool{{3, 2}, {2, 3}, {1, 0, 2, 1}};
  expect_same({x}, {}, {make_node("y", Op::MaxPool, {"x0"}, pool)});
  expect_same({x}, {}, {make_node("y", Op::AveragePool, {"x0"}, pool)});
  expect_same({x}, {}, {make_node("y", Op::GlobalAveragePool, {"x0"})});
  expect_same({x}, {}, {make_node("y", Op::ReduceMean, {"x0"}, graph::ReduceAttributes{{2, 3}})});
  expect_same({x}, {}, {make_node("y", Op::Softmax, {"x0"}, graph::AxisAttributes{1})});
  expect_same({x}, {}, {make_node("y", Op::Softmax, {"x0"}, graph::AxisAttributes{3})});
}

TEST(CSourceOps, MovesOfValues) {
  const Tensor x = random_floats({2, 3, 4, 5}, 1);
  const Tensor z = random_floats({2, 2, 4, 5}, 2);
  const auto each = [&](Node node) {
    expect_same({x}, {}, {std::move(node)});
  };
  each(make_node("y", Op::Flatten, {"x0"}));
  each(make_node("y", Op::Reshape, {"x0"}, graph::ReshapeAttributes{{5, 12}}));
  each(make_node("y", Op::Transpose, {"x0"}, graph::TransposeAttributes{{0, 3, 1, 2}}));
  each(make_node("y", Op::Slice, {"x0"}, graph::SliceAttributes{2, 1, 4, 2}));
  each(make_node("y", Op::Slice, {"x0"}, graph::SliceAttributes{1, 1, 3, 1}));
  each(make_node("y", Op::Resize, {"x0"}, graph::ResizeAttributes{{2, 3}}));
  for (const auto mode :
       {graph::PadMode::Constant, graph::PadMode::Edge, graph::PadMode::Reflect}) {
    each(make_node(
        "y", Op::Pad, {"x0"}, graph::PadAttributes{{0, 0, 1, 2, 0, 0, 3, 1}, mode, 0.5F}));
  }
  expect_same(
      {x, z}, {}, {make_node("y", Op::Concat, {"x0", "x1", "x0"}, graph::AxisAttributes{1})});
  expect_same({x}, {}, {make_node("y", Op::Concat, {"x0", "x0"}, graph::AxisAttributes{3})});
}

TEST(CSourceOps, AValueThatIsStillReadKeepsItsMemory) {
  const Tensor x = random_floats({2, 3, 4, 4}, 1);
  expect_same({x},
              {},
              {make_node("a", Op::MaxPool, {"x0"}, graph::PoolAttributes{}),
               make_node("b", Op::Sigmoid, {"a"}),  // in the place of a? It is read again.
               make_node("c", Op::MaxPool, {"b"}, graph::PoolAttributes{}),
               make_node("d", Op::Flatten, {"a"}),
               make_node("e", Op::Reshape, {"d"}, graph::ReshapeAttributes{{3, 2, 2}}),
               make_node("f", Op::MaxPool, {"e"}, graph::PoolAttributes{}),
               make_node("g", Op::Add, {"c", "f"})});
}

TEST(CSourceOps, InputsAndReshapesAsOutputs) {
  const Tensor x = random_floats({2, 3, 4}, 1);
  Model model =
      make_model({x}, {}, {make_node("a", Op::Relu, {"x0"}), make_node("b", Op::Flatten, {"a"})});
  model.graph.outputs = {"x0", "b"};
  expect_reference_outputs(model, {x});
}

TEST(CSourceOps, BytesByTables) {
  const Tensor x = random_integers(DType::U8, {2, 3, 5, 5}, 1);
  graph::Weights weights{{"mean", Tensor::from<float>({3, 1, 1}, std::vector<float>{90, 120, 7})},
                         {"scale", scalar_of(0.7F)},
                         {"zero", Tensor(DType::I8, {})}};
  weights["zero"].data<int8_t>()[0] = -5;
  const Model model = make_model(
      {x},
      weights,
      {make_node("a", Op::Cast, {"x0"}, graph::CastAttributes{}),
       make_node("b", Op::Sub, {"a", "mean"}),
       make_node("q", Op::QuantizeLinear, {"b", "scale", "zero"}, graph::AxisAttributes{}),
       make_node("d", Op::DequantizeLinear, {"q", "scale", "zero"}, graph::AxisAttributes{}),
       make_node("y", Op::MaxPool, {"d"}, graph::PoolAttributes{})});
  EXPECT_THAT(generate(model, {.prefix = "m"}).code, HasSubstr("look_up(3, 25,"));
  expect_reference_outputs(model, {x});
}

TEST(CSourceOps, WhatHasNoCFormIsRefusedByName) {
  const Tensor x = random_floats({1, 6, 3}, 1);
  const Model model =
      make_model({x},
                 {{"w", random_floats({1, 16, 3}, 2)}, {"r", random_floats({1, 16, 4}, 3)}},
                 {make_node("memory", Op::Lstm, {"x0", "w", "r"}, graph::RecurrentAttributes{})});
  try {
    generate(model, {.prefix = "m"});
    FAIL() << "an LSTM was taken";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::Unsupported);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("'memory'"), HasSubstr("(Lstm)"), HasSubstr("Conv, Gemm")));
  }
}

}  // namespace
}  // namespace coppice::c_source::testing
