#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/elementwise.h"
#include "graph/models.h"

namespace coppice::graph {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::model_of;
using testing::node_of;
using testing::scalar;

struct Case {
  std::string what;
  Op op;
  Attributes attributes;
  std::vector<Shape> inputs;    ///< of samples: x0, x1, …
  std::vector<Tensor> weights;  ///< w0, w1, …; come after the inputs
  Shape expected;               ///< empty: must be refused
  DType dtype = DType::F32;     ///< of the output
  DType input_dtype = DType::F32;
};

Tensor f32(Shape shape) {
  return {DType::F32, std::move(shape)};
}

Tensor ones(Shape shape) {
  Tensor tensor = f32(std::move(shape));
  for (float& value : tensor.data<float>()) {
    value = 1;
  }
  return tensor;
}

Model build(const Case& c) {
  std::map<std::string, Shape> inputs;
  Weights weights;
  std::vector<std::string> names;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    names.push_back("x" + std::to_string(i));
    inputs[names.back()] = c.inputs[i];
  }
  if (c.op == Op::Input) {
    return model_of(inputs, {}, {}, c.input_dtype);
  }
  for (size_t i = 0; i < c.weights.size(); ++i) {
    names.push_back("w" + std::to_string(i));
    weights[names.back()] = c.weights[i];
  }
  return model_of(inputs, weights, {node_of("n", c.op, names, c.attributes)}, c.input_dtype);
}

const Shape kNone{};

std::vector<Case> cases() {
  const ConvAttributes conv3{.kernel = {3, 3}, .pads = {1, 1, 1, 1}};
  const AxisAttributes axis1{1};
  const auto u8 = DType::U8;
  const auto i8 = DType::I8;
  return {
      {"input", Op::Input, {}, {{3, 4}}, {}, {-1, 3, 4}},
      {"input u8", Op::Input, {}, {{3, 4}}, {}, {-1, 3, 4}, u8, u8},
      {"input without a sample", Op::Input, {}, {{}}, {}, kNone},
      {"empty dimension", Op::Input, {}, {{3, 0}}, {}, kNone},
      {"huge sample", Op::Input, {}, {{1 << 20, 1 << 20}}, {}, kNone},
      {"cast", Op::Cast, CastAttributes{DType::F32}, {{5}}, {}, {-1, 5}, DType::F32, u8},
      {"cast down", Op::Cast, CastAttributes{i8}, {{5}}, {}, {-1, 5}, i8},
      {"add two", Op::Add, {}, {{4, 2, 2}, {4, 2, 2}}, {}, {-1, 4, 2, 2}},
      {"add per channel", Op::Add, {}, {{4, 2, 2}}, {f32({4, 1, 1})}, {-1, 4, 2, 2}},
      {"add grows", Op::Add, {}, {{4, 1, 2}}, {f32({1, 4, 3, 1})}, {-1, 4, 3, 2}},
      {"add over the batch", Op::Add, {}, {{4}}, {f32({2, 4})}, kNone},
      {"add before the batch", Op::Add, {}, {{4}}, {f32({3, 1, 4})}, kNone},
      {"add misfit", Op::Add, {}, {{4}}, {f32({3})}, kNone},
      {"add integers", Op::Add, {}, {{4}, {4}}, {}, kNone, u8, u8},
      {"add constants", Op::Add, {}, {}, {f32({3}), f32({3})}, kNone},
      {"add an empty weight", Op::Add, {}, {{1}}, {f32({0})}, kNone},
      {"sub scalar", Op::Sub, {}, {{4}}, {scalar(1)}, {-1, 4}},
      {"mul", Op::Mul, {}, {{4}}, {f32({1})}, {-1, 4}},
      {"div", Op::Div, {}, {{4}}, {f32({4})}, {-1, 4}},
      {"conv same", Op::Conv, conv3, {{3, 28, 28}}, {f32({16, 3, 3, 3})}, {-1, 16, 28, 28}},
      {"conv bias", Op::Conv, conv3, {{3, 8, 8}}, {f32({2, 3, 3, 3}), f32({2})}, {-1, 2, 8, 8}},
      {"conv stride floors",
       Op::Conv,
       ConvAttributes{{3, 3}, {2, 2}, {1, 1, 1, 1}},
       {{3, 8, 7}},
       {f32({2, 3, 3, 3})},
       {-1, 2, 4, 4}},
      {"conv dilated",
       Op::Conv,
       ConvAttributes{{3, 3}, {1, 1}, {0, 0, 0, 0}, {2, 3}},
       {{1, 9, 9}},
       {f32({1, 1, 3, 3})},
       {-1, 1, 5, 3}},
      {"conv uneven pads",
       Op::Conv,
       ConvAttributes{{2, 3}, {1, 1}, {1, 0, 0, 2}},
       {{1, 5, 5}},
       {f32({1, 1, 2, 3})},
       {-1, 1, 5, 5}},
      {"conv depthwise",
       Op::Conv,
       ConvAttributes{{3, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 4},
       {{4, 5, 5}},
       {f32({8, 1, 3, 3})},
       {-1, 8, 3, 3}},
      {"conv too large", Op::Conv, ConvAttributes{{3, 3}}, {{1, 2, 5}}, {f32({1, 1, 3, 3})}, kNone},
      {"conv channels", Op::Conv, conv3, {{4, 8, 8}}, {f32({2, 3, 3, 3})}, kNone},
      {"conv kernel", Op::Conv, conv3, {{3, 8, 8}}, {f32({2, 3, 5, 5})}, kNone},
      {"conv bias size", Op::Conv, conv3, {{3, 8, 8}}, {f32({2, 3, 3, 3}), f32({3})}, kNone},
      {"conv groups",
       Op::Conv,
       ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 3},
       {{4, 5, 5}},
       {f32({6, 1, 1, 1})},
       kNone},
      {"conv zero groups",
       Op::Conv,
       ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 0},
       {{4, 5, 5}},
       {f32({6, 4, 1, 1})},
       kNone},
      {"conv zero stride",
       Op::Conv,
       ConvAttributes{{1, 1}, {0, 1}},
       {{1, 5, 5}},
       {f32({1, 1, 1, 1})},
       kNone},
      {"conv negative pad",
       Op::Conv,
       ConvAttributes{{1, 1}, {1, 1}, {-1, 0, 0, 0}},
       {{1, 5, 5}},
       {f32({1, 1, 1, 1})},
       kNone},
      {"conv overflowing pad",
       Op::Conv,
       ConvAttributes{{1, 1}, {1, 1}, {INT64_MAX, 0, 1, 0}},
       {{1, 5, 5}},
       {f32({1, 1, 1, 1})},
       kNone},
      {"conv short pads",
       Op::Conv,
       ConvAttributes{{1, 1}, {1, 1}, {0, 0}},
       {{1, 5, 5}},
       {f32({1, 1, 1, 1})},
       kNone},
      {"conv weight dtype", Op::Conv, conv3, {{3, 8, 8}}, {Tensor(i8, {2, 3, 3, 3})}, kNone},
      {"conv without channels", Op::Conv, conv3, {{3, 8, 8}}, {f32({0, 3, 3, 3})}, kNone},
      {"gemm", Op::Gemm, {}, {{7}}, {f32({3, 7}), f32({3})}, {-1, 3}},
      {"gemm misfit", Op::Gemm, {}, {{7}}, {f32({7, 3})}, kNone},
      {"gemm image", Op::Gemm, {}, {{7, 1, 1}}, {f32({3, 7})}, kNone},
      {"gemm of activations", Op::Gemm, {}, {{7}, {7}}, {}, kNone},
      {"bn",
       Op::BatchNorm,
       BatchNormAttributes{},
       {{3, 2, 2}},
       {f32({3}), f32({3}), f32({3}), f32({3})},
       {-1, 3, 2, 2}},
      {"bn flat",
       Op::BatchNorm,
       BatchNormAttributes{},
       {{3}},
       {f32({3}), f32({3}), f32({3}), f32({3})},
       {-1, 3}},
      {"bn misfit",
       Op::BatchNorm,
       BatchNormAttributes{},
       {{3}},
       {f32({3}), f32({3}), f32({2}), f32({3})},
       kNone},
      {"bn too few", Op::BatchNorm, BatchNormAttributes{}, {{3}}, {f32({3})}, kNone},
      {"relu", Op::Relu, {}, {{3, 2}}, {}, {-1, 3, 2}},
      {"relu of bytes", Op::Relu, {}, {{3, 2}}, {}, kNone, u8, u8},
      {"relu of a weight", Op::Relu, {}, {}, {f32({3, 2})}, kNone},
      {"relu with attributes", Op::Relu, axis1, {{3}}, {}, kNone},
      {"relu without input", Op::Relu, {}, {}, {}, kNone},
      {"leaky relu", Op::LeakyRelu, LeakyReluAttributes{}, {{3, 2}}, {}, {-1, 3, 2}},
      {"leaky relu without a slope", Op::LeakyRelu, LeakyReluAttributes{NAN}, {{3}}, {}, kNone},
      {"clip", Op::Clip, ClipAttributes{}, {{3, 2}}, {}, {-1, 3, 2}},
      {"clip to nothing", Op::Clip, ClipAttributes{1, 1}, {{3}}, {}, kNone},
      {"clip to NaN", Op::Clip, ClipAttributes{0, NAN}, {{3}}, {}, kNone},
      {"sigmoid", Op::Sigmoid, {}, {{3, 2}}, {}, {-1, 3, 2}},
      {"tanh", Op::Tanh, {}, {{3, 2}}, {}, {-1, 3, 2}},
      {"hard swish", Op::HardSwish, {}, {{3, 2}}, {}, {-1, 3, 2}},
      {"erf", Op::Erf, {}, {{3, 2}}, {}, {-1, 3, 2}},
      {"erf of bytes", Op::Erf, {}, {{3, 2}}, {}, kNone, u8, u8},
      {"resize", Op::Resize, ResizeAttributes{{2, 3}}, {{3, 4, 5}}, {}, {-1, 3, 8, 15}},
      {"resize rows", Op::Resize, ResizeAttributes{}, {{3, 4}}, {}, kNone},
      {"resize to nothing", Op::Resize, ResizeAttributes{{0, 1}}, {{3, 4, 5}}, {}, kNone},
      {"resize by one number", Op::Resize, ResizeAttributes{{2}}, {{3, 4, 5}}, {}, kNone},
      {"resize too far", Op::Resize, ResizeAttributes{{1 << 30, 1 << 30}}, {{3, 4, 5}}, {}, kNone},
      {"reshape", Op::Reshape, ReshapeAttributes{{3, 1, 20}}, {{3, 20}}, {}, {-1, 3, 1, 20}},
      {"reshape to rows", Op::Reshape, ReshapeAttributes{{60}}, {{3, 20}}, {}, kNone},
      {"reshape misfit", Op::Reshape, ReshapeAttributes{{3, 21}}, {{3, 20}}, {}, kNone},
      {"reshape to a free size", Op::Reshape, ReshapeAttributes{{3, -1}}, {{3, 20}}, {}, kNone},
      {"reshape overflowing",
       Op::Reshape,
       ReshapeAttributes{{int64_t{1} << 40, int64_t{1} << 40}},
       {{3, 20}},
       {},
       kNone},
      {"slice", Op::Slice, SliceAttributes{2, 19, 20}, {{3, 20}}, {}, {-1, 3, 1}},
      {"slice channels", Op::Slice, SliceAttributes{1, 1, 3}, {{3, 20}}, {}, {-1, 2, 20}},
      {"slice of the batch", Op::Slice, SliceAttributes{0, 0, 1}, {{3, 20}}, {}, kNone},
      {"slice beyond the end", Op::Slice, SliceAttributes{1, 1, 4}, {{3, 20}}, {}, kNone},
      {"slice of nothing", Op::Slice, SliceAttributes{1, 2, 2}, {{3, 20}}, {}, kNone},
      {"slice before the start", Op::Slice, SliceAttributes{1, -1, 2}, {{3, 20}}, {}, kNone},
      {"slice in steps", Op::Slice, SliceAttributes{2, 1, 20, 4}, {{3, 20}}, {}, {-1, 3, 5}},
      {"slice backwards", Op::Slice, SliceAttributes{2, 1, 20, -1}, {{3, 20}}, {}, kNone},
      {"resize to a size",
       Op::Resize,
       ResizeAttributes{{}, ResizeMode::Linear, {3, 9}},
       {{3, 4, 5}},
       {},
       {-1, 3, 3, 9}},
      {"resize to no size",
       Op::Resize,
       ResizeAttributes{{}, ResizeMode::Linear, {0, 9}},
       {{3, 4, 5}},
       {},
       kNone},
      {"transpose", Op::Transpose, TransposeAttributes{{0, 2, 1}}, {{3, 4}}, {}, {-1, 4, 3}},
      {"transpose of the batch",
       Op::Transpose,
       TransposeAttributes{{1, 0, 2}},
       {{3, 4}},
       {},
       kNone},
      {"transpose of some", Op::Transpose, TransposeAttributes{{0, 1}}, {{3, 4}}, {}, kNone},
      {"transpose twice", Op::Transpose, TransposeAttributes{{0, 1, 1}}, {{3, 4}}, {}, kNone},
      {"pad", Op::Pad, PadAttributes{{0, 0, 1, 0, 2, 3}}, {{3, 4}}, {}, {-1, 5, 8}},
      {"pad the batch", Op::Pad, PadAttributes{{1, 0, 1, 0, 2, 3}}, {{3, 4}}, {}, kNone},
      {"pad a side", Op::Pad, PadAttributes{{0, 1}}, {{3, 4}}, {}, kNone},
      {"pad negatively", Op::Pad, PadAttributes{{0, 0, -1, 0, 0, 0}}, {{3, 4}}, {}, kNone},
      {"pad overflowing", Op::Pad, PadAttributes{{0, 0, INT64_MAX, 0, 0, 9}}, {{3, 4}}, {}, kNone},
      {"mirror all",
       Op::Pad,
       PadAttributes{{0, 0, 3, 0, 0, 3}, PadMode::Reflect},
       {{3, 4}},
       {},
       {-1, 3, 10}},
      {"mirror too much",
       Op::Pad,
       PadAttributes{{0, 0, 4, 0, 0, 0}, PadMode::Reflect},
       {{3, 4}},
       {},
       kNone},
      {"mean", Op::ReduceMean, ReduceAttributes{{1, 3}}, {{3, 4, 5}}, {}, {-1, 1, 4, 1}},
      {"mean of nothing", Op::ReduceMean, ReduceAttributes{{}}, {{3, 4}}, {}, kNone},
      {"mean over the batch", Op::ReduceMean, ReduceAttributes{{0, 1}}, {{3, 4}}, {}, kNone},
      {"mean unsorted", Op::ReduceMean, ReduceAttributes{{2, 1}}, {{3, 4}}, {}, kNone},
      {"conv transpose",
       Op::ConvTranspose,
       ConvTransposeAttributes{.kernel = {3, 2},
                               .stride = {2, 3},
                               .pads = {1, 0, 1, 0},
                               .output_padding = {1, 2},
                               .groups = 2},
       {{4, 5, 6}},
       {f32({4, 3, 3, 2}), f32({6})},
       {-1, 6, 10, 19}},
      {"conv transpose of other channels",
       Op::ConvTranspose,
       ConvTransposeAttributes{.kernel = {1, 1}},
       {{4, 5, 6}},
       {f32({3, 4, 1, 1})},
       kNone},
      {"conv transpose cut to nothing",
       Op::ConvTranspose,
       ConvTransposeAttributes{.kernel = {1, 1}, .pads = {3, 0, 2, 0}},
       {{4, 5, 6}},
       {f32({4, 3, 1, 1})},
       kNone},
      {"conv transpose padded like its stride",
       Op::ConvTranspose,
       ConvTransposeAttributes{.kernel = {1, 1}, .output_padding = {1, 0}},
       {{4, 5, 6}},
       {f32({4, 3, 1, 1})},
       kNone},
      {"conv transpose of many groups",
       Op::ConvTranspose,
       ConvTransposeAttributes{.kernel = {1, 1}, .groups = 8},
       {{4, 5, 6}},
       {f32({4, 3, 1, 1})},
       kNone},
      {"matmul", Op::MatMul, {}, {{2, 5, 3}, {2, 3, 7}}, {}, {-1, 2, 5, 7}},
      {"matmul by a weight", Op::MatMul, {}, {{5, 3}}, {f32({3, 7})}, {-1, 5, 7}},
      {"matmul of rows", Op::MatMul, {}, {{3}}, {f32({3, 7})}, kNone},
      {"matmul misfit", Op::MatMul, {}, {{5, 3}, {4, 7}}, {}, kNone},
      {"matmul of other heads", Op::MatMul, {}, {{2, 5, 3}, {3, 3, 7}}, {}, kNone},
      {"matmul by a small weight", Op::MatMul, {}, {{5, 3}}, {f32({3})}, kNone},
      {"layer norm",
       Op::LayerNorm,
       LayerNormAttributes{2},
       {{5, 3}},
       {f32({3}), f32({3})},
       {-1, 5, 3}},
      {"layer norm over two",
       Op::LayerNorm,
       LayerNormAttributes{1},
       {{5, 3}},
       {f32({5, 3}), f32({5, 3})},
       {-1, 5, 3}},
      {"layer norm over the batch",
       Op::LayerNorm,
       LayerNormAttributes{0},
       {{3}},
       {f32({3}), f32({3})},
       kNone},
      {"layer norm misfit",
       Op::LayerNorm,
       LayerNormAttributes{2},
       {{5, 3}},
       {f32({5}), f32({5})},
       kNone},
      {"prelu", Op::PRelu, {}, {{4, 5, 3}}, {f32({4, 1, 1})}, {-1, 4, 5, 3}},
      {"prelu misfit", Op::PRelu, {}, {{4, 5, 3}}, {f32({4, 1})}, kNone},
      {"prelu that widens", Op::PRelu, {}, {{1, 5}}, {f32({1, 4, 1})}, kNone},
      {"lstm",
       Op::Lstm,
       RecurrentAttributes{},
       {{9, 3}},
       {f32({1, 20, 3}), f32({1, 20, 5}), f32({1, 40})},
       {-1, 9, 5}},
      {"lstm with a GRU's weights",
       Op::Lstm,
       RecurrentAttributes{},
       {{9, 3}},
       {f32({1, 15, 3}), f32({1, 15, 5}), f32({1, 30})},
       kNone},
      {"gru",
       Op::Gru,
       RecurrentAttributes{},
       {{9, 3}},
       {f32({1, 15, 3}), f32({1, 15, 5})},
       {-1, 9, 5}},
      {"gru of an image",
       Op::Gru,
       RecurrentAttributes{},
       {{9, 3, 1}},
       {f32({1, 15, 3}), f32({1, 15, 5})},
       kNone},
      {"max pool", Op::MaxPool, PoolAttributes{}, {{3, 7, 8}}, {}, {-1, 3, 3, 4}},
      {"max pool padded",
       Op::MaxPool,
       PoolAttributes{{3, 3}, {2, 2}, {1, 1, 1, 1}},
       {{3, 7, 8}},
       {},
       {-1, 3, 4, 4}},
      {"pads as large as the kernel",
       Op::MaxPool,
       PoolAttributes{{2, 2}, {2, 2}, {0, 2, 0, 0}},
       {{3, 7, 8}},
       {},
       kNone},
      {"max pool too large", Op::MaxPool, PoolAttributes{{9, 9}}, {{3, 7, 8}}, {}, kNone},
      {"average pool",
       Op::AveragePool,
       PoolAttributes{{7, 7}, {1, 1}},
       {{3, 7, 8}},
       {},
       {-1, 3, 1, 2}},
      {"global pool", Op::GlobalAveragePool, {}, {{3, 7, 8}}, {}, {-1, 3, 1, 1}},
      {"global pool flat", Op::GlobalAveragePool, {}, {{3}}, {}, kNone},
      {"flatten", Op::Flatten, {}, {{3, 7, 8}}, {}, {-1, 168}},
      {"concat", Op::Concat, axis1, {{3, 2, 2}, {5, 2, 2}}, {}, {-1, 8, 2, 2}},
      {"concat last", Op::Concat, AxisAttributes{3}, {{3, 2, 2}, {3, 2, 4}}, {}, {-1, 3, 2, 6}},
      {"concat over the batch", Op::Concat, AxisAttributes{0}, {{3}, {3}}, {}, kNone},
      {"concat misfit", Op::Concat, axis1, {{3, 2}, {3, 3}}, {}, kNone},
      {"concat ranks", Op::Concat, axis1, {{3, 2}, {3}}, {}, kNone},
      {"dropout", Op::Dropout, DropoutAttributes{0.2F}, {{3, 2}}, {}, {-1, 3, 2}},
      {"dropout of all", Op::Dropout, DropoutAttributes{1}, {{3, 2}}, {}, kNone},
      {"softmax", Op::Softmax, axis1, {{10}}, {}, {-1, 10}},
      {"softmax over the batch", Op::Softmax, AxisAttributes{0}, {{10}}, {}, kNone},
      {"quantize u8",
       Op::QuantizeLinear,
       axis1,
       {{3, 2}},
       {scalar(1), Tensor(u8, {})},
       {-1, 3, 2},
       u8},
      {"quantize i8 per channel",
       Op::QuantizeLinear,
       axis1,
       {{3, 2}},
       {ones({3}), Tensor(i8, {3})},
       {-1, 3, 2},
       i8},
      {"quantize to i32",
       Op::QuantizeLinear,
       axis1,
       {{3}},
       {scalar(1), Tensor(DType::I32, {})},
       kNone},
      {"quantize zero scale", Op::QuantizeLinear, axis1, {{3}}, {scalar(0), Tensor(u8, {})}, kNone},
      {"quantize axis",
       Op::QuantizeLinear,
       AxisAttributes{2},
       {{3, 2}},
       {ones({3}), Tensor(i8, {3})},
       kNone},
      {"dequantize",
       Op::DequantizeLinear,
       axis1,
       {{3}},
       {scalar(1), Tensor(u8, {})},
       {-1, 3},
       DType::F32,
       u8},
      {"dequantize mixed",
       Op::DequantizeLinear,
       axis1,
       {{3}},
       {scalar(1), Tensor(i8, {})},
       kNone,
       DType::F32,
       u8},
      {"dequantize f32", Op::DequantizeLinear, axis1, {{3}}, {scalar(1), f32({})}, kNone},
  };
}

TEST(InferShapes, FollowsTheTable) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.what);
    if (c.expected.empty()) {
      const std::string message = message_of(core::ErrorKind::InvalidArgument, [&] { build(c); });
      EXPECT_THAT(message,
                  AllOf(HasSubstr(c.op == Op::Input ? "'x0'" : "'n'"), HasSubstr(to_string(c.op))));
      continue;
    }
    Model model;
    ASSERT_NO_THROW(model = build(c));
    EXPECT_EQ(model.graph.nodes.back().shape, c.expected);
    EXPECT_EQ(model.graph.nodes.back().dtype, c.dtype);
    EXPECT_NO_THROW(verify(model));
  }
}

TEST(InferShapes, TableCoversEveryOpGoodAndBad) {
  std::set<Op> good;
  std::set<Op> bad;
  for (const Case& c : cases()) {
    (c.expected.empty() ? bad : good).insert(c.op);
  }
  for (const OpInfo& op : all_ops()) {
    EXPECT_TRUE(good.contains(op.op)) << op.name;
  }
  EXPECT_GE(bad.size(), 12U);
}

TEST(InferShapes, DequantizedWeightHasNoBatch) {
  const Model model = testing::model_with_every_op();
  EXPECT_EQ(model.graph.at("w").shape, (Shape{2, 8, 3, 2}));
  EXPECT_EQ(model.graph.at("w").dtype, DType::F32);
  EXPECT_EQ(model.graph.at("b").shape, Shape{2});
  EXPECT_EQ(model.graph.at("q").dtype, DType::U8);
  EXPECT_EQ(model.graph.at("average").shape, (Shape{-1, 4, 3, 2}));
  EXPECT_EQ(model.graph.at("last").shape, (Shape{-1, 2, 1, 1}));
}

TEST(Ops, UnaryElementwiseOnesKeepTheTypeOfTheirOnlyInput) {
  std::set<Op> seen;
  for (const Case& c : cases()) {
    if (c.expected.empty() || !is_unary_elementwise(c.op)) {
      continue;
    }
    seen.insert(c.op);
    Shape same = c.inputs.at(0);
    same.insert(same.begin(), kBatch);
    EXPECT_EQ(c.expected, same) << c.what;
    EXPECT_EQ(c.dtype, c.input_dtype) << c.what;
    EXPECT_TRUE(c.weights.empty() && info(c.op).most_inputs == 1) << c.what;
  }
  EXPECT_EQ(seen.size(), 7U);
  for (const Op other : {Op::Cast, Op::Dropout, Op::PRelu, Op::BatchNorm, Op::Softmax}) {
    EXPECT_FALSE(is_unary_elementwise(other)) << to_string(other);
  }
}

TEST(Ops, InfoMatchesTheEnum) {
  for (const OpInfo& op : all_ops()) {
    EXPECT_EQ(info(op.op).name, op.name);
  }
  EXPECT_EQ(to_string(Op::BatchNorm), "BatchNorm");
  EXPECT_EQ(info(Op::BatchNorm).onnx_name, "BatchNormalization");
}

}  // namespace
}  // namespace coppice::graph
