#include "runtime/op_cases.h"

#include <limits>

#include "runtime/models.h"

namespace coppice::runtime::testing {

namespace {

using graph::Node;
using graph::Op;
using graph::Shape;
using graph::Tensor;

class OpCases {
 public:
  void add(std::string name,
           const std::vector<Tensor>& inputs,
           const graph::Weights& weights,
           const std::vector<Node>& nodes) {
    cases_.push_back({std::move(name), inputs, make_model(inputs, weights, nodes)});
  }

  /// One op on an image.
  void on_image(std::string name,
                Op op,
                graph::Attributes attributes = {},
                const graph::Weights& weights = {}) {
    std::vector<std::string> operands{"x0"};
    for (const auto& [weight, tensor] : weights) {
      operands.push_back(weight);
    }
    add(std::move(name), {image_}, weights, {make_node("y", op, operands, std::move(attributes))});
  }

  const Tensor& image() const { return image_; }

  std::vector<OpCase> take() { return std::move(cases_); }

 private:
  Tensor image_ = random_floats({3, 4, 6, 5}, 7, -3, 3);
  std::vector<OpCase> cases_;
};

Tensor values(Shape shape, uint64_t seed, double low = -1, double high = 1) {
  return random_floats(shape, seed, low, high);
}

void add_convolutions(OpCases& cases) {
  const std::vector<std::pair<std::string, graph::ConvAttributes>> geometries{
      {"conv_same", {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}},
      {"conv_grouped", {{3, 3}, {2, 2}, {0, 1, 1, 0}, {1, 1}, 2}},
      {"conv_depthwise_row", {{1, 5}, {1, 3}, {0, 4, 0, 0}, {1, 2}, 4}},
      {"conv_depthwise_gaps", {{2, 2}, {3, 3}, {0, 0, 0, 0}, {1, 1}, 4}},
      {"conv_column", {{5, 1}, {2, 1}, {3, 0, 3, 0}, {1, 1}, 1}},
      {"conv_in_padding", {{3, 3}, {1, 1}, {4, 4, 4, 4}, {3, 2}, 1}},
      {"conv_uneven", {{3, 2}, {2, 1}, {1, 2, 0, 1}, {2, 3}, 1}},
      {"conv_1x1", {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1}},
  };
  uint64_t seed = 10;
  for (const auto& [name, a] : geometries) {
    graph::Weights weights{{"w", values({8, 4 / a.groups, a.kernel[0], a.kernel[1]}, ++seed)}};
    std::vector<std::string> operands{"x0", "w"};
    if (seed % 2 == 0) {
      weights["b"] = values({8}, ++seed);
      operands.emplace_back("b");
    }
    cases.add(
        name, {values({2, 4, 11, 13}, ++seed)}, weights, {make_node("y", Op::Conv, operands, a)});
  }
  const graph::Weights up{{"w", values({4, 3, 4, 3}, 1)}, {"wb", values({6}, 2)}};
  cases.on_image("conv_transpose",
                 Op::ConvTranspose,
                 graph::ConvTransposeAttributes{{4, 3}, {2, 2}, {1, 0, 1, 1}, {1, 1}, {1, 0}, 2},
                 up);
  cases.on_image("conv_transpose_dilated",
                 Op::ConvTranspose,
                 graph::ConvTransposeAttributes{{4, 3}, {1, 1}, {2, 0, 0, 1}, {2, 2}, {1, 1}, 2},
                 up);
}

void add_products(OpCases& cases) {
  const Tensor rows = values({5, 4, 6}, 1);
  const auto sum = [](const Tensor& weight, const Tensor& bias) {
    return graph::Weights{{"w", weight}, {"b", bias}};
  };
  const std::vector<Node> linear{make_node("y", Op::MatMul, {"x0", "w"}),
                                 make_node("z", Op::Add, {"y", "b"})};
  cases.add("linear_rows", {rows}, sum(values({6, 8}, 2), values({8}, 3)), linear);
  cases.add("column_spread", {rows}, sum(values({6, 1}, 2), values({5}, 3)), linear);
  cases.add(
      "matmul_pair", {rows, values({5, 6, 3}, 4)}, {}, {make_node("y", Op::MatMul, {"x0", "x1"})});
  cases.add("flattened",
            {cases.image()},
            {{"w", values({10, 120}, 5)}},
            {make_node("y", Op::Flatten, {"x0"}), make_node("z", Op::Gemm, {"y", "w"})});
  cases.add("layer_norm_rows",
            {rows},
            {{"s", values({6}, 6)}, {"b", values({6}, 7)}},
            {make_node("y", Op::LayerNorm, {"x0", "s", "b"}, graph::LayerNormAttributes{2})});
  cases.add("layer_norm_planes",
            {cases.image()},
            {{"s", values({6, 5}, 6)}, {"b", values({6, 5}, 7)}},
            {make_node("y", Op::LayerNorm, {"x0", "s", "b"}, graph::LayerNormAttributes{2})});
  const Tensor sequence = values({2, 7, 3}, 8);
  for (const bool reverse : {false, true}) {
    const graph::RecurrentAttributes attributes{reverse};
    const std::string suffix = reverse ? "_reverse" : "";
    cases.add(
        "lstm" + suffix,
        {sequence},
        {{"w", values({1, 16, 3}, 2)}, {"r", values({1, 16, 4}, 3)}, {"b", values({1, 32}, 4)}},
        {make_node("y", Op::Lstm, {"x0", "w", "r", "b"}, attributes)});
    cases.add("gru" + suffix,
              {sequence},
              {{"w", values({1, 12, 3}, 2)}, {"r", values({1, 12, 4}, 3)}},
              {make_node("y", Op::Gru, {"x0", "w", "r"}, attributes)});
  }
}

void add_curves(OpCases& cases) {
  constexpr float kUnlimited = std::numeric_limits<float>::infinity();
  cases.on_image("relu", Op::Relu);
  cases.on_image("clip", Op::Clip, graph::ClipAttributes{-0.5F, 0.25F});
  cases.on_image("clip_above", Op::Clip, graph::ClipAttributes{-kUnlimited, 0.25F});
  cases.on_image("clip_nothing", Op::Clip, graph::ClipAttributes{-kUnlimited, kUnlimited});
  cases.on_image("leaky", Op::LeakyRelu, graph::LeakyReluAttributes{0.1F});
  cases.on_image("prelu", Op::PRelu, {}, {{"s", values({4, 1, 1}, 1)}});
  cases.on_image("prelu_one", Op::PRelu, {}, {{"s", values({1}, 1)}});
  cases.on_image("sigmoid", Op::Sigmoid);
  cases.on_image("hard_swish", Op::HardSwish);
  cases.on_image("tanh", Op::Tanh);
  cases.on_image("erf", Op::Erf);
  cases.on_image("softmax", Op::Softmax, graph::AxisAttributes{1});
  cases.on_image("softmax_last", Op::Softmax, graph::AxisAttributes{3});
  cases.on_image("batch_norm",
                 Op::BatchNorm,
                 graph::BatchNormAttributes{},
                 {{"1", values({4}, 2)},
                  {"2", values({4}, 3)},
                  {"3", values({4}, 4)},
                  {"4", values({4}, 5, 0.5, 2)}});
}

void add_sums(OpCases& cases) {
  const graph::Weights weights{{"by_channel", values({4, 1, 1}, 3, 0.5, 2)},
                               {"by_column", values({5}, 4, 0.5, 2)},
                               {"by_row", values({1, 6, 1}, 5)},
                               {"all", values({4, 6, 5}, 6)},
                               {"one", Tensor::from<float>({}, std::vector<float>{-0.25F})}};
  const auto add = [&](const std::string& name, const std::vector<Node>& nodes) {
    cases.add(name, {cases.image()}, weights, nodes);
  };
  add("add_channels", {make_node("y", Op::Add, {"x0", "by_channel"})});
  add("divide_by_column", {make_node("y", Op::Div, {"x0", "by_column"})});
  add("constant_less_x", {make_node("y", Op::Sub, {"by_row", "x0"})});
  add("chain_of_operands",
      {make_node("a", Op::Sub, {"x0", "by_channel"}),
       make_node("b", Op::Div, {"a", "by_column"}),
       make_node("d", Op::Add, {"b", "by_row"}),
       make_node("e", Op::PRelu, {"d", "by_channel"}),
       make_node("f", Op::Sub, {"all", "e"}),
       make_node("g", Op::Mul, {"f", "one"})});
  add("gate",
      {make_node("y", Op::GlobalAveragePool, {"x0"}), make_node("z", Op::Mul, {"x0", "y"})});
  add("difference_and_relu",
      {make_node("y", Op::Sigmoid, {"x0"}),
       make_node("s", Op::Sub, {"x0", "y"}),
       make_node("z", Op::Relu, {"s"})});
  cases.add("both_spread",
            {values({2, 4, 1, 1}, 1), values({2, 1, 6, 5}, 2)},
            {},
            {make_node("y", Op::Add, {"x0", "x1"})});
}

void add_pools(OpCases& cases) {
  const graph::PoolAttributes dense{{3, 2}, {2, 1}, {1, 0, 1, 1}};
  const graph::PoolAttributes gaps{{3, 2}, {2, 3}, {1, 0, 2, 1}};
  cases.on_image("max_pool", Op::MaxPool, dense);
  cases.on_image("max_pool_gaps", Op::MaxPool, gaps);
  cases.on_image("max_pool_1x1", Op::MaxPool, graph::PoolAttributes{{1, 1}, {2, 2}});
  cases.on_image("average_pool", Op::AveragePool, dense);
  cases.on_image("average_pool_gaps", Op::AveragePool, gaps);
  cases.on_image("global_average", Op::GlobalAveragePool);
  cases.on_image("mean_of_planes", Op::ReduceMean, graph::ReduceAttributes{{2, 3}});
  cases.on_image("mean_of_columns", Op::ReduceMean, graph::ReduceAttributes{{2}});
}

void add_moves(OpCases& cases) {
  using graph::PadMode;
  using graph::ResizeMode;
  cases.on_image("nearest", Op::Resize, graph::ResizeAttributes{{2, 3}});
  cases.on_image("nearest_41", Op::Resize, graph::ResizeAttributes{{1, 41}});
  cases.on_image(
      "nearest_size", Op::Resize, graph::ResizeAttributes{{}, ResizeMode::Nearest, {9, 3}});
  cases.on_image("linear", Op::Resize, graph::ResizeAttributes{{2, 3}, ResizeMode::Linear});
  cases.on_image(
      "linear_corners", Op::Resize, graph::ResizeAttributes{{}, ResizeMode::LinearCorners, {4, 9}});
  cases.on_image(
      "linear_to_one", Op::Resize, graph::ResizeAttributes{{}, ResizeMode::LinearCorners, {1, 1}});
  for (const auto& [name, mode] : {std::pair{"pad_constant", PadMode::Constant},
                                   std::pair{"pad_edge", PadMode::Edge},
                                   std::pair{"pad_reflect", PadMode::Reflect}}) {
    cases.on_image(name, Op::Pad, graph::PadAttributes{{0, 0, 1, 2, 0, 1, 3, 1}, mode, 0.5F});
  }
  cases.on_image("flatten", Op::Flatten);
  cases.on_image("reshape", Op::Reshape, graph::ReshapeAttributes{{5, 24}});
  cases.on_image("transpose", Op::Transpose, graph::TransposeAttributes{{0, 3, 1, 2}});
  cases.on_image("slice", Op::Slice, graph::SliceAttributes{1, 1, 3, 1});
  cases.on_image("slice_steps", Op::Slice, graph::SliceAttributes{2, 1, 6, 2});
  cases.add("moves",
            {cases.image()},
            {},
            {make_node("a", Op::Transpose, {"x0"}, graph::TransposeAttributes{{0, 3, 1, 2}}),
             make_node("b", Op::Slice, {"a"}, graph::SliceAttributes{1, 1, 5, 2}),
             make_node("c", Op::Reshape, {"b"}, graph::ReshapeAttributes{{6, 8}}),
             make_node("d", Op::Flatten, {"c"})});
  for (const int64_t axis : {1, 2, 3}) {
    cases.add("concat_" + std::to_string(axis),
              {cases.image()},
              {},
              {make_node("y", Op::Relu, {"x0"}),
               make_node("z", Op::Concat, {"y", "x0", "y"}, graph::AxisAttributes{axis})});
  }
}

}  // namespace

std::vector<OpCase> op_cases() {
  OpCases cases;
  add_convolutions(cases);
  add_products(cases);
  add_curves(cases);
  add_sums(cases);
  add_pools(cases);
  add_moves(cases);
  return cases.take();
}

}  // namespace coppice::runtime::testing
