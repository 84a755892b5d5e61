#include <algorithm>
#include <cstring>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/models.h"
#include "runtime/op_cases.h"

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

std::vector<std::string> works_of(const graph::Model& model, const std::vector<Tensor>& inputs) {
  const int64_t batch = inputs.at(0).dim(0);
  const auto engine = build_engine(model, {.backend = "xnnpack", .max_batch = batch});
  std::vector<Tensor> outputs;
  for (const std::string& name : engine->model().graph.outputs) {
    graph::Shape shape = engine->model().graph.at(name).shape;
    shape[0] = batch;
    outputs.emplace_back(engine->model().graph.at(name).dtype, shape);
  }
  std::vector<std::string> works;
  for (const StepTime& step : engine->run_profiled(inputs, outputs)) {
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
  const std::vector<std::string> works = works_of(model, {x});
  EXPECT_EQ(std::ranges::count(works, "table"), 1);
  EXPECT_EQ(std::ranges::count(works, "convolution qc8"), 2);
  EXPECT_THAT(works, ::testing::Not(Contains(HasSubstr("reference"))));
}

/// Each op in f32, alone, on odd shapes: what runs it, where it matters.
TEST(Xnnpack, OpsAgreeWithTheReference) {
  std::map<std::string, std::string> works{
      {"conv_same", "convolution f32"},
      {"conv_grouped", "convolution f32"},
      {"conv_depthwise_row", "convolution f32"},
      {"conv_in_padding", "convolution f32"},
      {"conv_uneven", "convolution f32"},
      {"conv_transpose", "deconvolution f32"},
      {"conv_transpose_dilated", "reference ConvTranspose"},
      {"linear_rows", "fully connected f32"},
      {"column_spread", "Add f32"},
      {"flattened", "convolution f32"},
      {"layer_norm_rows", "reference LayerNorm"},
      {"relu", "Relu f32"},
      {"clip", "Clip f32"},
      {"leaky", "LeakyRelu f32"},
      {"prelu", "PRelu f32"},
      {"sigmoid", "Sigmoid f32"},
      {"hard_swish", "HardSwish f32"},
      {"tanh", "reference Tanh"},
      {"softmax", "Softmax f32"},
      {"softmax_last", "reference Softmax"},
      {"add_channels", "Add f32"},
      {"divide_by_column", "Div f32"},
      {"constant_less_x", "Sub f32"},
      {"both_spread", "Add f32"},
      {"gate", "Mul f32"},
      {"difference_and_relu", "Sub f32"},
      {"max_pool", "MaxPool f32"},
      {"max_pool_1x1", "reference MaxPool"},
      {"average_pool", "AveragePool f32"},
      {"global_average", "GlobalAveragePool f32"},
      {"nearest", "reference Resize"},
      {"linear", "Resize f32"},
      {"linear_corners", "Resize f32"},
      {"concat_1", "concat"},
      {"concat_2", "concat"},
  };
  for (const OpCase& one : op_cases()) {
    const Tensor expected = run_model(one.model, one.inputs, "reference")[0];
    const Tensor result = run_model(one.model, one.inputs, "xnnpack")[0];
    EXPECT_LT(relative_difference(result, expected), 1e-5) << one.name;
    if (const auto work = works.extract(one.name)) {
      EXPECT_THAT(works_of(one.model, one.inputs), Contains(work.mapped())) << one.name;
    }
  }
  EXPECT_THAT(works, ::testing::IsEmpty());
}

/// 32 bits do not hold the sum.
TEST(Xnnpack, MeansOfLargeImagesOfBytes) {
  Tensor x(DType::U8, {1, 1, 3000, 3000});
  std::memset(x.bytes(), 255, static_cast<size_t>(x.bytes_size()));
  const graph::Model model = make_model(
      {x},
      {{"scale", Tensor::from<float>({}, std::vector<float>{1.0F / 255})},
       {"zero", Tensor(DType::U8, {})}},
      {make_node("d", Op::DequantizeLinear, {"x0", "scale", "zero"}, graph::AxisAttributes{}),
       make_node("y", Op::GlobalAveragePool, {"d"})});
  EXPECT_NEAR(run_model(model, {x}, "xnnpack")[0].data<float>()[0], 1, 1e-3);
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
