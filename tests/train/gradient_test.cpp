// Every op's gradient against central differences, in double.

#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/rng.h"
#include "graph/models.h"
#include "graph/op.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

using graph::Op;
using graph::testing::model_of;
using graph::testing::node_of;
using graph::testing::random_tensor;

struct GradientCase {
  std::string name;
  graph::Model model;
  bool training = false;
  double low = -1;  ///< of the inputs
  double high = 1;
};

std::vector<GradientCase> gradient_cases() {
  std::vector<GradientCase> cases;
  const std::map<std::string, graph::Shape> two{{"x", {2, 3, 3}}, {"y", {2, 3, 3}}};
  const std::map<std::string, graph::Shape> image{{"x", {4, 6, 5}}};
  for (const Op op : {Op::Add, Op::Sub, Op::Mul}) {
    cases.push_back(
        {std::string(graph::to_string(op)), model_of(two, {}, {node_of("z", op, {"x", "y"})})});
  }
  cases.push_back({"Div", model_of(two, {}, {node_of("z", Op::Div, {"x", "y"})}), false, 0.5, 2});
  cases.push_back(
      {"broadcast",
       model_of(image, {{"c", random_tensor({4, 1, 1}, 1)}}, {node_of("z", Op::Mul, {"x", "c"})})});
  cases.push_back(
      {"Cast", model_of(image, {}, {node_of("z", Op::Cast, {"x"}, graph::CastAttributes{})})});
  cases.push_back(
      {"Conv",
       model_of(
           image,
           {{"w", random_tensor({6, 2, 3, 2}, 1)}, {"b", random_tensor({6}, 2)}},
           {node_of("z",
                    Op::Conv,
                    {"x", "w", "b"},
                    graph::ConvAttributes{
                        .kernel = {3, 2}, .stride = {2, 1}, .pads = {1, 0, 1, 0}, .groups = 2})})});
  cases.push_back(
      {"Conv with uneven padding and dilation",
       model_of(image,
                {{"w", random_tensor({3, 4, 2, 2}, 1)}},
                {node_of("z",
                         Op::Conv,
                         {"x", "w"},
                         graph::ConvAttributes{
                             .kernel = {2, 2}, .pads = {1, 0, 2, 1}, .dilation = {2, 1}})})});
  cases.push_back({"Gemm",
                   model_of({{"x", {5}}},
                            {{"w", random_tensor({3, 5}, 1)}, {"b", random_tensor({3}, 2)}},
                            {node_of("z", Op::Gemm, {"x", "w", "b"})})});
  for (const bool training : {false, true}) {
    cases.push_back(
        {training ? "BatchNorm in training" : "BatchNorm",
         model_of(
             image,
             {{"s", random_tensor({4}, 1)},
              {"b", random_tensor({4}, 2)},
              {"m", random_tensor({4}, 3)},
              {"v", random_tensor({4}, 4, 0.5, 2)}},
             {node_of(
                 "z", Op::BatchNorm, {"x", "s", "b", "m", "v"}, graph::BatchNormAttributes{})}),
         training});
  }
  cases.push_back({"Relu", model_of(image, {}, {node_of("z", Op::Relu, {"x"})})});
  cases.push_back({"Relu in place of what Conv made",
                   model_of(image,
                            {{"w", random_tensor({3, 4, 1, 1}, 1)}},
                            {node_of("y", Op::Conv, {"x", "w"}, graph::ConvAttributes{}),
                             node_of("z", Op::Relu, {"y"})})});
  cases.push_back({"Relu of a sum that is read twice",
                   model_of(image,
                            {},
                            {node_of("y", Op::Add, {"x", "x"}),
                             node_of("r", Op::Relu, {"y"}),
                             node_of("z", Op::Mul, {"y", "r"})})});
  cases.push_back(
      {"MaxPool",
       model_of(image,
                {},
                {node_of("z",
                         Op::MaxPool,
                         {"x"},
                         graph::PoolAttributes{.kernel = {3, 2}, .pads = {1, 0, 2, 1}})})});
  cases.push_back(
      {"AveragePool",
       model_of(image,
                {},
                {node_of("z",
                         Op::AveragePool,
                         {"x"},
                         graph::PoolAttributes{.kernel = {3, 2}, .pads = {1, 0, 2, 1}})})});
  cases.push_back(
      {"GlobalAveragePool", model_of(image, {}, {node_of("z", Op::GlobalAveragePool, {"x"})})});
  cases.push_back(
      {"Flatten",
       model_of(image,
                {{"w", random_tensor({2, 120}, 1)}},
                {node_of("y", Op::Flatten, {"x"}), node_of("z", Op::Gemm, {"y", "w"})})});
  cases.push_back({"Concat",
                   model_of({{"x", {2, 3, 3}}, {"y", {1, 3, 3}}},
                            {},
                            {node_of("z", Op::Concat, {"x", "y"}, graph::AxisAttributes{1})})});
  cases.push_back(
      {"Dropout",
       model_of(image, {}, {node_of("z", Op::Dropout, {"x"}, graph::DropoutAttributes{0.4F})}),
       true});
  const graph::Weights norm{{"s", random_tensor({4}, 1)},
                            {"b", random_tensor({4}, 2)},
                            {"m", random_tensor({4}, 3, -0.1, 0.1)},
                            {"v", random_tensor({4}, 4, 0.5, 2)}};
  const graph::Weights wide_norm{{"s", random_tensor({11}, 1)},
                                 {"b", random_tensor({11}, 2)},
                                 {"m", random_tensor({11}, 3, -0.1, 0.1)},
                                 {"v", random_tensor({11}, 4, 0.5, 2)}};
  const auto bn =
      node_of("y", Op::BatchNorm, {"x", "s", "b", "m", "v"}, graph::BatchNormAttributes{});
  const auto relu = node_of("r", Op::Relu, {"y"});
  const auto pool = node_of("z", Op::MaxPool, {"r"}, graph::PoolAttributes{});
  for (const bool training : {false, true}) {
    const std::string when = training ? " in training" : "";
    cases.push_back({"BatchNorm and Relu" + when, model_of(image, norm, {bn, relu}), training});
    cases.push_back({"BatchNorm and Relu and MaxPool" + when,
                     model_of(image, norm, {bn, relu, pool}),
                     training});
    cases.push_back({"BatchNorm and Relu and MaxPool of odd sizes" + when,
                     model_of({{"x", {4, 5, 7}}}, norm, {bn, relu, pool}),
                     training});
    const auto add = node_of("a", Op::Add, {"y", "residual"});
    const auto last = node_of("z", Op::Relu, {"a"});
    const std::map<std::string, graph::Shape> added{{"residual", {4, 3, 3}}, {"x", {4, 3, 3}}};
    cases.push_back({"BatchNorm and Add" + when, model_of(added, norm, {bn, add}), training});
    cases.push_back(
        {"BatchNorm and Add and Relu" + when, model_of(added, norm, {bn, add, last}), training});
    // More channels than the kernels work on at once, and some left over.
    cases.push_back({"BatchNorm and Relu of many channels" + when,
                     model_of({{"x", {11, 3, 3}}}, wide_norm, {bn, relu}),
                     training});
    cases.push_back({"BatchNorm and Relu and MaxPool of many channels" + when,
                     model_of({{"x", {11, 4, 4}}}, wide_norm, {bn, relu, pool}),
                     training});
  }
  const auto unary = [&](const Op op, graph::Attributes attributes) {
    cases.push_back({std::string(graph::to_string(op)),
                     model_of(image, {}, {node_of("z", op, {"x"}, std::move(attributes))}),
                     false,
                     -4,
                     4});
  };
  for (const Op op : {Op::LeakyRelu, Op::Sigmoid, Op::Tanh, Op::HardSwish, Op::Erf, Op::Resize}) {
    unary(op, graph::default_attributes(op));
  }
  unary(Op::Clip, graph::ClipAttributes{-1, 2});
  unary(Op::Slice, graph::SliceAttributes{2, 1, 4});
  cases.push_back(
      {"Reshape",
       model_of(image,
                {{"w", random_tensor({2, 8, 1, 3}, 1)}},
                {node_of("y", Op::Reshape, {"x"}, graph::ReshapeAttributes{{8, 1, 15}}),
                 node_of("z",
                         Op::Conv,
                         {"y", "w"},
                         graph::ConvAttributes{
                             .kernel = {1, 3}, .pads = {0, 4, 0, 0}, .dilation = {1, 2}})})});
  for (const auto grain : {graph::DropoutGrain::Channel, graph::DropoutGrain::Sample}) {
    cases.push_back(
        {grain == graph::DropoutGrain::Channel ? "Dropout of channels" : "Dropout of samples",
         model_of(
             image, {}, {node_of("z", Op::Dropout, {"x"}, graph::DropoutAttributes{0.4F, grain})}),
         true});
  }
  unary(Op::Pad, graph::PadAttributes{{0, 1, 2, 0, 0, 0, 1, 3}, graph::PadMode::Constant, 0.5F});
  cases.push_back({"Pad by mirroring",
                   model_of(image,
                            {},
                            {node_of("z",
                                     Op::Pad,
                                     {"x"},
                                     graph::PadAttributes{{0, 0, 2, 0, 0, 0, 1, 3},
                                                          graph::PadMode::Reflect})})});
  for (const auto mode : {graph::ResizeMode::Linear, graph::ResizeMode::LinearCorners}) {
    cases.push_back(
        {mode == graph::ResizeMode::Linear ? "Resize by centres" : "Resize by corners",
         model_of(image,
                  {},
                  {node_of("z", Op::Resize, {"x"}, graph::ResizeAttributes{{}, mode, {4, 7}})})});
  }
  cases.push_back(
      {"Slice in steps",
       model_of(image, {}, {node_of("z", Op::Slice, {"x"}, graph::SliceAttributes{2, 1, 6, 2})})});
  unary(Op::Transpose, graph::TransposeAttributes{{0, 3, 1, 2}});
  unary(Op::ReduceMean, graph::ReduceAttributes{{1, 3}});
  cases.push_back(
      {"PRelu",
       model_of(
           image, {{"s", random_tensor({4, 1, 1}, 1)}}, {node_of("z", Op::PRelu, {"x", "s"})})});
  cases.push_back({"ConvTranspose",
                   model_of({{"x", {4, 3, 2}}},
                            {{"w", random_tensor({4, 3, 3, 2}, 1)}, {"b", random_tensor({6}, 2)}},
                            {node_of("z",
                                     Op::ConvTranspose,
                                     {"x", "w", "b"},
                                     graph::ConvTransposeAttributes{.kernel = {3, 2},
                                                                    .stride = {2, 3},
                                                                    .pads = {1, 0, 0, 1},
                                                                    .output_padding = {1, 2},
                                                                    .groups = 2})})});
  cases.push_back(
      {"MatMul",
       model_of({{"x", {2, 3, 4}}, {"y", {2, 4, 2}}}, {}, {node_of("z", Op::MatMul, {"x", "y"})})});
  cases.push_back(
      {"MatMul with a bias",
       model_of({{"x", {3, 4}}},
                {{"w", random_tensor({4, 2}, 1)}, {"b", random_tensor({2}, 2)}},
                {node_of("y", Op::MatMul, {"x", "w"}), node_of("z", Op::Add, {"y", "b"})})});
  cases.push_back(
      {"LayerNorm",
       model_of(
           {{"x", {3, 4}}},
           {{"s", random_tensor({4}, 1)}, {"b", random_tensor({4}, 2)}},
           {node_of("z", Op::LayerNorm, {"x", "s", "b"}, graph::LayerNormAttributes{.axis = 2})})});
  for (const bool reverse : {false, true}) {
    for (const Op op : {Op::Lstm, Op::Gru}) {
      const int64_t gates = op == Op::Lstm ? 4 : 3;
      cases.push_back({std::string(graph::to_string(op)) + (reverse ? " backwards" : ""),
                       model_of({{"x", {3, 2}}},
                                {{"w", random_tensor({1, gates * 2, 2}, 1)},
                                 {"r", random_tensor({1, gates * 2, 2}, 2)},
                                 {"b", random_tensor({1, gates * 4}, 3)}},
                                {node_of("z",
                                         op,
                                         {"x", "w", "r", "b"},
                                         graph::RecurrentAttributes{.reverse = reverse})})});
    }
  }
  cases.push_back(
      {"Softmax",
       model_of({{"x", {5}}}, {}, {node_of("z", Op::Softmax, {"x"}, graph::AxisAttributes{1})})});
  return cases;
}

at::Tensor random_double(const graph::Shape& shape, uint64_t seed, double low, double high) {
  return to_aten(random_tensor(shape, seed, low, high)).to(at::kDouble);
}

class GradientTest : public ::testing::TestWithParam<GradientCase> {};

TEST_P(GradientTest, AgreesWithCentralDifferences) {
  const GradientCase& c = GetParam();
  Network network(c.model, Precision::Double);
  std::map<std::string, at::Tensor> inputs;
  std::vector<at::Tensor> leaves;
  for (const graph::Node* node : network.graph().inputs()) {
    graph::Shape shape = node->shape;
    shape[0] = 3;
    inputs[node->name] = random_double(shape, 10 + inputs.size(), c.low, c.high).requires_grad_();
    leaves.push_back(inputs[node->name]);
  }
  for (const Parameter& parameter : network.parameters()) {
    leaves.push_back(parameter.value);
  }
  at::Tensor weights;
  const auto loss = [&] {
    const at::Tensor output =
        network.forward(inputs, {.training = c.training, .dropout_seed = 5, .keep = {}})
            .begin()
            ->second;
    if (!weights.defined()) {
      weights = random_double(output.sizes().vec(), 99, -1, 1);
    }
    return (output * weights).sum();
  };
  loss().backward();

  const at::NoGradGuard no_grad;
  for (const at::Tensor& leaf : leaves) {
    const at::Tensor flat = leaf.detach().view(-1);
    const at::Tensor gradient = leaf.grad().contiguous().view(-1);
    for (int64_t i = 0; i < flat.numel(); ++i) {
      constexpr double kStep = 1e-6;
      const double value = flat[i].item<double>();
      flat[i].fill_(value + kStep);
      const double above = loss().item<double>();
      flat[i].fill_(value - kStep);
      const double below = loss().item<double>();
      flat[i].fill_(value);
      ASSERT_NEAR(gradient[i].item<double>(), (above - below) / (2 * kStep), 1e-6)
          << "element " << i << " of a leaf of shape " << graph::to_string(leaf.sizes().vec());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops,
                         GradientTest,
                         ::testing::ValuesIn(gradient_cases()),
                         [](const auto& case_info) {
                           std::string name = case_info.param.name;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

TEST(GradientCoverage, EveryOpIsChecked) {
  // Input computes nothing; rounding has its own tests below, since its true gradient is zero.
  std::set<Op> covered{Op::Input, Op::QuantizeLinear, Op::DequantizeLinear};
  for (const GradientCase& c : gradient_cases()) {
    for (const graph::Node& node : c.model.graph.nodes) {
      covered.insert(node.op);
    }
  }
  for (const graph::OpInfo& op : graph::all_ops()) {
    EXPECT_TRUE(covered.contains(op.op)) << op.name;
  }
}

/// x -> QuantizeLinear -> DequantizeLinear with one scale per channel.
graph::Model fake_quantisation(graph::DType dtype) {
  graph::Tensor zero_point(dtype, {2});
  if (dtype == graph::DType::U8) {
    zero_point.data<uint8_t>()[1] = 10;
  }
  return model_of(
      {{"x", {2, 3}}},
      {{"scale", graph::Tensor::from<float>({2}, std::vector<float>{0.5F, 0.25F})},
       {"zero", zero_point}},
      {node_of("q", Op::QuantizeLinear, {"x", "scale", "zero"}, graph::AxisAttributes{1}),
       node_of("dq", Op::DequantizeLinear, {"q", "scale", "zero"}, graph::AxisAttributes{1})});
}

TEST(FakeQuantisation, RoundsHalfToEvenAndSaturates) {
  Network network(fake_quantisation(graph::DType::U8));
  const auto x = graph::Tensor::from<float>(
      {1, 2, 3}, std::vector<float>{0.75F, -4.0F, 1000.0F, 0.3F, -2.0F, -100.0F});
  const Activations result = network.forward(to_aten(x), {.keep = {"q"}});
  const graph::Tensor q = to_graph(result.at("q"));
  const std::vector<float> levels(q.data<float>().begin(), q.data<float>().end());
  EXPECT_EQ(levels, (std::vector<float>{2, 0, 255, 11, 2, 0}));
  const graph::Tensor dq = to_graph(result.at("dq"));
  const std::vector<float> values(dq.data<float>().begin(), dq.data<float>().end());
  EXPECT_EQ(values, (std::vector<float>{1, 0, 127.5F, 0.25F, -2.0F, -2.5F}));
}

TEST(FakeQuantisation, PassesGradientsStraightThroughInsideTheRangeOnly) {
  Network network(fake_quantisation(graph::DType::I8));
  const auto x = graph::Tensor::from<float>(
      {1, 2, 3}, std::vector<float>{0.7F, -63.9F, 64.0F, 0.3F, -33.0F, 31.0F});
  const at::Tensor input = to_aten(x).requires_grad_();
  network.forward(input).at("dq").sum().backward();
  const graph::Tensor gradient = to_graph(input.grad());
  const std::vector<float> values(gradient.data<float>().begin(), gradient.data<float>().end());
  EXPECT_EQ(values, (std::vector<float>{1, 1, 0, 1, 0, 1}));
}

}  // namespace

}  // namespace coppice::train
