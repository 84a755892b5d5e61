#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/models.h"

namespace coppice::runtime::testing {
namespace {

using graph::DType;
using graph::Op;
using graph::Tensor;
using ::testing::Contains;
using ::testing::HasSubstr;

struct XnnpackCase {
  std::string name;
  graph::ModelOptions options;
  graph::ModelInput input;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest finds it by this name
void PrintTo(const XnnpackCase& one, std::ostream* out) {
  *out << one.name;
}

std::vector<XnnpackCase> xnnpack_cases() {
  graph::ModelInput features = image_input(1, 1, DType::F32);
  features.sample_shape = {37};
  graph::ModelInput window = image_input(1, 1);
  window.sample_shape = {3, 40};
  graph::ModelInput sound = image_input(1, 1, DType::F32);
  sound.sample_shape = {1, 49, 10};
  return {
      {"mlp", {"mlp", {33, 20}, 1, 0.2}, image_input(1, 9)},
      {"mlp_features", {"mlp", {16}, 1, 0}, features},
      {"cnn", {"cnn", {16, 32}, 1, 0.2}, image_input(1, 28)},
      {"cnn_pruned", {"cnn", {7, 13, 22}, 2, 0}, image_input(3, 20)},
      {"cnn_float_input", {"cnn", {8, 12}, 1, 0}, image_input(3, 10, DType::F32)},
      {"resnet", {"resnet", {16, 32}, 1, 0}, image_input(3, 12)},
      {"resnet_pruned", {"resnet", {5, 11, 18}, 1, 0}, image_input(1, 18)},
      {"ds_cnn", {.name = "ds_cnn"}, sound},
      {"mobilenet_v2", {.name = "mobilenet_v2", .width_multiplier = 0.25}, image_input(3, 32)},
      {"tcn", {.name = "tcn", .widths = {8, 8, 12}, .kernel = 4}, window},
  };
}

class XnnpackNetwork : public ::testing::TestWithParam<XnnpackCase> {
 protected:
  graph::Model model() const { return random_network(GetParam().options, GetParam().input, 11); }

  Tensor samples(int64_t count, uint64_t seed) const {
    graph::Shape shape = GetParam().input.sample_shape;
    shape.insert(shape.begin(), count);
    return GetParam().input.dtype == DType::F32 ? random_floats(shape, seed, 0, 255)
                                                : random_integers(DType::U8, shape, seed);
  }
};

INSTANTIATE_TEST_SUITE_P(Zoo,
                         XnnpackNetwork,
                         ::testing::ValuesIn(xnnpack_cases()),
                         [](const auto& test) { return test.param.name; });

TEST_P(XnnpackNetwork, FloatAgreesWithTheReference) {
  const Tensor x = samples(13, 5);
  const Tensor expected = run_model(model(), {x}, "reference")[0];
  const Tensor result = run_model(model(), {x}, "xnnpack")[0];
  EXPECT_LT(relative_difference(result, expected), 1e-4);
  EXPECT_EQ(argmax_rows(result), argmax_rows(expected));
}

/// With residuals in float or in bytes, zero points or none: the same integers.
TEST_P(XnnpackNetwork, IntegersAreTheReferences) {
  const Tensor x = samples(12, 6);
  for (const bool sums : {false, true}) {
    for (const bool asymmetric : {false, true}) {
      const graph::Model model =
          to_qdq(this->model(),
                 samples(16, 3),
                 {.quantise_sums = sums, .quantise_logits = true, .asymmetric = asymmetric});
      graph::Model bytes = model;
      bytes.graph.outputs = {model.graph.at(model.graph.outputs[0]).inputs[0]};
      const Tensor expected = run_model(bytes, {x}, "reference")[0];
      const Tensor result = run_model(bytes, {x}, "xnnpack")[0];
      EXPECT_EQ(largest_step(result, expected), 0) << sums << asymmetric;
    }
  }
}

std::vector<std::string> works_of(const graph::Model& model, const Tensor& x) {
  const auto engine = build_engine(model, {.backend = "xnnpack", .max_batch = x.dim(0)});
  std::vector<Tensor> outputs;
  for (const std::string& name : engine->model().graph.outputs) {
    graph::Shape shape = engine->model().graph.at(name).shape;
    shape[0] = x.dim(0);
    outputs.emplace_back(engine->model().graph.at(name).dtype, shape);
  }
  std::vector<std::string> works;
  for (const StepTime& step : engine->run_profiled(std::vector<Tensor>{x}, outputs)) {
    works.push_back(step.work);
  }
  return works;
}

/// A quantised CNN from bytes to logits: a table, a convolution per layer, nothing by the slow
/// kernels.
TEST(Xnnpack, AQuantisedNetworkRunsInIntegers) {
  const Tensor x = random_integers(DType::U8, {4, 1, 28, 28}, 1);
  const graph::Model model =
      to_qdq(random_network({"cnn", {8, 12}, 1, 0}, image_input(1, 28), 2), x);
  const std::vector<std::string> works = works_of(model, x);
  EXPECT_EQ(std::ranges::count(works, "table"), 1);
  EXPECT_EQ(std::ranges::count(works, "convolution qc8"), 2);
  EXPECT_THAT(works, ::testing::Not(Contains(HasSubstr("reference"))));
}

struct OpCase {
  std::string name;
  graph::Shape shape;
  graph::Weights weights;
  std::vector<graph::Node> nodes;
  std::string work;  ///< a step that must be there
};

graph::Node on_x(Op op, graph::Attributes attributes = {}, std::vector<std::string> more = {}) {
  more.insert(more.begin(), "x0");
  return make_node("y", op, std::move(more), std::move(attributes));
}

std::vector<OpCase> op_cases() {
  const graph::Shape image{3, 6, 9, 7};
  const auto weight = [](graph::Shape shape, uint64_t seed) {
    return random_floats(shape, seed);
  };
  const graph::ConvAttributes dilated{{3, 2}, {2, 1}, {1, 2, 0, 1}, {2, 3}, 1};
  const graph::ConvAttributes grouped{{3, 3}, {1, 2}, {1, 1, 1, 1}, {1, 1}, 3};
  const graph::ConvAttributes depthwise{{3, 3}, {2, 2}, {0, 1, 2, 0}, {1, 1}, 6};
  const graph::ConvTransposeAttributes up{{4, 3}, {2, 2}, {1, 0, 1, 1}, {1, 1}, {1, 0}, 2};
  const graph::PoolAttributes pool{{3, 2}, {2, 1}, {1, 0, 1, 1}};
  return {
      {"conv",
       image,
       {{"w", weight({4, 6, 3, 2}, 1)}, {"b", weight({4}, 2)}},
       {on_x(Op::Conv, dilated, {"w", "b"})},
       "convolution f32"},
      {"grouped",
       image,
       {{"w", weight({9, 2, 3, 3}, 1)}},
       {on_x(Op::Conv, grouped, {"w"})},
       "convolution f32"},
      {"depthwise",
       image,
       {{"w", weight({12, 1, 3, 3}, 1)}, {"b", weight({12}, 2)}},
       {on_x(Op::Conv, depthwise, {"w", "b"})},
       "convolution f32"},
      {"transposed",
       image,
       {{"w", weight({6, 4, 4, 3}, 1)}, {"b", weight({8}, 2)}},
       {on_x(Op::ConvTranspose, up, {"w", "b"})},
       "deconvolution f32"},
      {"max_pool", image, {}, {on_x(Op::MaxPool, pool)}, "MaxPool f32"},
      {"average_pool", image, {}, {on_x(Op::AveragePool, pool)}, "AveragePool f32"},
      {"mean", image, {}, {on_x(Op::GlobalAveragePool)}, "GlobalAveragePool f32"},
      {"relu", image, {}, {on_x(Op::Relu)}, "Relu f32"},
      {"clip", image, {}, {on_x(Op::Clip, graph::ClipAttributes{-0.5F, 0.25F})}, "Clip f32"},
      {"leaky",
       image,
       {},
       {on_x(Op::LeakyRelu, graph::LeakyReluAttributes{0.1F})},
       "LeakyRelu f32"},
      {"sigmoid", image, {}, {on_x(Op::Sigmoid)}, "Sigmoid f32"},
      {"hard_swish", image, {}, {on_x(Op::HardSwish)}, "HardSwish f32"},
      {"tanh", image, {}, {on_x(Op::Tanh)}, "reference Tanh"},
      {"prelu", image, {{"s", weight({6, 1, 1}, 1)}}, {on_x(Op::PRelu, {}, {"s"})}, "PRelu f32"},
      {"softmax", image, {}, {on_x(Op::Softmax, graph::AxisAttributes{1})}, "Softmax f32"},
      {"softmax_rows",
       image,
       {},
       {on_x(Op::Softmax, graph::AxisAttributes{3})},
       "reference Softmax"},
      {"add_channels", image, {{"c", weight({6, 1, 1}, 1)}}, {on_x(Op::Add, {}, {"c"})}, "Add f32"},
      {"divide_by_row",
       image,
       {{"c", random_floats({7}, 1, 1, 2)}},
       {on_x(Op::Div, {}, {"c"})},
       "Div f32"},
      {"constant_less_x",
       image,
       {{"c", weight({1, 6, 9, 1}, 1)}},
       {make_node("y", Op::Sub, {"c", "x0"})},
       "Sub f32"},
      {"gate",
       image,
       {},
       {on_x(Op::GlobalAveragePool), make_node("z", Op::Mul, {"x0", "y"})},
       "Mul f32"},
      {"sum_and_relu",
       image,
       {},
       {on_x(Op::Sigmoid), make_node("s", Op::Sub, {"x0", "y"}), make_node("z", Op::Relu, {"s"})},
       "Sub f32"},
      {"concat",
       image,
       {},
       {on_x(Op::Relu), make_node("z", Op::Concat, {"y", "x0", "y"}, graph::AxisAttributes{1})},
       "concat"},
      {"concat_rows",
       image,
       {},
       {on_x(Op::Relu), make_node("z", Op::Concat, {"y", "x0"}, graph::AxisAttributes{2})},
       "concat"},
      {"enlarge",
       image,
       {},
       {on_x(Op::Resize, graph::ResizeAttributes{{2, 3}, graph::ResizeMode::Linear})},
       "Resize f32"},
      {"shrink_corners",
       image,
       {},
       {on_x(Op::Resize,
             graph::ResizeAttributes{{1, 1}, graph::ResizeMode::LinearCorners, {5, 4}})},
       "Resize f32"},
      {"nearest", image, {}, {on_x(Op::Resize, graph::ResizeAttributes{})}, "reference Resize"},
      {"rows",
       {5, 4, 6},
       {{"w", weight({6, 8}, 1)}, {"b", weight({8}, 2)}},
       {on_x(Op::MatMul, {}, {"w"}), make_node("z", Op::Add, {"y", "b"})},
       "fully connected f32"},
      {"flattened",
       image,
       {{"w", weight({10, 378}, 1)}},
       {on_x(Op::Flatten), make_node("z", Op::Gemm, {"y", "w"})},
       "convolution f32"},
      {"layer_norm",
       {5, 4, 6},
       {{"s", weight({6}, 1)}, {"b", weight({6}, 2)}},
       {on_x(Op::LayerNorm, graph::LayerNormAttributes{2}, {"s", "b"})},
       "reference LayerNorm"},
  };
}

/// Each op in f32, alone, on odd shapes.
TEST(Xnnpack, OpsAgreeWithTheReference) {
  for (const OpCase& one : op_cases()) {
    const Tensor x = random_floats(one.shape, 7, -3, 3);
    const graph::Model model = make_model({x}, one.weights, one.nodes);
    const Tensor expected = run_model(model, {x}, "reference")[0];
    const Tensor result = run_model(model, {x}, "xnnpack")[0];
    EXPECT_LT(relative_difference(result, expected), 1e-5) << one.name;
    EXPECT_THAT(works_of(model, x), Contains(one.work)) << one.name;
  }
}

/// Every value an output too: in the graph's order whatever form it has inside.
TEST(Xnnpack, InnerValuesAreHandedOut) {
  const Tensor x = random_integers(DType::U8, {5, 3, 12, 12}, 4);
  graph::Model model = to_qdq(random_network({"resnet", {5, 8}, 1, 0}, image_input(3, 12), 3), x);
  for (const graph::Node& node : model.graph.nodes) {
    const bool is_byte = node.dtype == DType::U8 || node.dtype == DType::I8;
    if (is_byte && node.shape[0] == graph::kBatch && node.op == Op::QuantizeLinear) {
      model.graph.outputs.push_back(node.name);
    }
  }
  const std::vector<Tensor> expected = run_model(model, {x}, "reference");
  const std::vector<Tensor> result = run_model(model, {x}, "xnnpack");
  ASSERT_GT(expected.size(), 5U);
  for (size_t i = 1; i < expected.size(); ++i) {
    EXPECT_LE(largest_step(result[i], expected[i]), 1) << model.graph.outputs[i];
  }
}

}  // namespace
}  // namespace coppice::runtime::testing
