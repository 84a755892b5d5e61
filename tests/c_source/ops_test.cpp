// Single ops and small graphs beside the reference backend; those without a C form.

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "c_source/compiled.h"
#include "core/error.h"
#include "runtime/models.h"
#include "runtime/op_cases.h"

namespace coppice::c_source::testing {
namespace {

using graph::DType;
using graph::Model;
using graph::Node;
using graph::Op;
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

Tensor scalar_of(int8_t value) {
  return Tensor::from<int8_t>({}, std::vector<int8_t>{value});
}

Model one_node(const Tensor& x,
               Op op,
               graph::Attributes attributes,
               const graph::Weights& weights) {
  std::vector<std::string> operands{"x0"};
  for (const auto& [name, tensor] : weights) {
    operands.push_back(name);
  }
  return make_model({x}, weights, {make_node("y", op, operands, std::move(attributes))});
}

void expect_refused(const Model& model, const std::string& what) {
  try {
    generate(model, {.prefix = "m"});
    ADD_FAILURE() << what << " was taken";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::Unsupported) << what;
    EXPECT_THAT(error.what(), AllOf(HasSubstr("node '"), HasSubstr("Conv, Gemm"))) << what;
  }
}

TEST(CSourceOps, AreTheReferencesOrRefused) {
  const std::set<std::string> refused{"conv_transpose",
                                      "conv_transpose_dilated",
                                      "linear_rows",
                                      "column_spread",
                                      "matmul_pair",
                                      "layer_norm_rows",
                                      "layer_norm_planes",
                                      "lstm",
                                      "lstm_reverse",
                                      "gru",
                                      "gru_reverse",
                                      "mean_of_columns",
                                      "linear",
                                      "linear_corners",
                                      "linear_to_one"};
  for (const runtime::testing::OpCase& one : runtime::testing::op_cases()) {
    SCOPED_TRACE(one.name);
    if (refused.contains(one.name)) {
      expect_refused(one.model, one.name);
    } else {
      expect_reference_outputs(one.model, one.inputs);
    }
  }
}

/// Positions times sizes leave 32 bits.
TEST(CSourceOps, LongRowsAreResized) {
  const Tensor x = random_floats({1, 1, 1, 50000}, 1);
  for (const int64_t width : {70000, 100000}) {
    expect_same({x},
                {},
                {make_node("y",
                           Op::Resize,
                           {"x0"},
                           graph::ResizeAttributes{{}, graph::ResizeMode::Nearest, {1, width}})});
  }
}

TEST(CSourceOps, WindowsBeyond32BitsAreRefused) {
  const Tensor x = random_floats({1, 1, 4, 4}, 1);
  const graph::ConvAttributes leap{{1, 1}, {1, int64_t{1} << 30}, {0, 0, 0, 0}, {1, 1}, 1};
  expect_refused(one_node(x, Op::Conv, leap, {{"w", random_floats({1, 1, 1, 1}, 2)}}), "Conv");
  const graph::PoolAttributes pool{{1, 1}, {int64_t{1} << 30, 1}};
  expect_refused(one_node(x, Op::MaxPool, pool, {}), "MaxPool");
}

TEST(CSourceOps, IntegersOfEachChannelAreDequantised) {
  Tensor x(DType::I32, {2, 3, 4});
  for (int32_t i = 0; i < 24; ++i) {
    x.data<int32_t>()[static_cast<size_t>(i)] = (i - 7) * 40000;
  }
  const graph::Weights weights{
      {"s", random_floats({3}, 1, 0.1, 2)},
      {"z", Tensor::from<int32_t>({3}, std::vector<int32_t>{-70000, 0, 2000000000})}};
  expect_reference_outputs(one_node(x, Op::DequantizeLinear, graph::AxisAttributes{1}, weights),
                           {x});
}

/// A MaxPool before the last quantisation runs on bytes, and the output is its own.
TEST(CSourceOps, TheHeaderTellsTheScaleOfAMovedOutput) {
  const Model model = make_model(
      {random_floats({2, 3, 4, 4}, 1)},
      {{"scale", scalar_of(0.75F)}, {"zero", scalar_of(int8_t{-5})}},
      {make_node("a", Op::Sigmoid, {"x0"}),
       make_node("b", Op::MaxPool, {"a"}, graph::PoolAttributes{}),
       make_node("c", Op::QuantizeLinear, {"b", "scale", "zero"}, graph::AxisAttributes{})});
  EXPECT_THAT(generate(model, {.prefix = "m"}).header,
              HasSubstr("real value = (value - -5) * 0.75"));
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
  const graph::Weights weights{
      {"mean", Tensor::from<float>({3, 1, 1}, std::vector<float>{90, 120, 7})},
      {"scale", scalar_of(0.7F)},
      {"zero", scalar_of(int8_t{-5})}};
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
