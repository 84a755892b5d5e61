#include "graph/pass.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/models.h"

namespace coppice::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::model_of;
using testing::node_of;
using testing::random_tensor;

Weights bn_weights(int64_t channels) {
  return {{"bn.scale", random_tensor({channels}, 1, 0.5, 2)},
          {"bn.bias", random_tensor({channels}, 2)},
          {"bn.mean", random_tensor({channels}, 3)},
          {"bn.variance", random_tensor({channels}, 4, 0.1, 3)}};
}

Node bn_node(const std::string& x) {
  return node_of("bn",
                 Op::BatchNorm,
                 {x, "bn.scale", "bn.bias", "bn.mean", "bn.variance"},
                 BatchNormAttributes{1e-3F});
}

/// One output value per row of weights for a window of inputs, in double: conv at one place, or
/// gemm.
std::vector<double> affine(const Model& model, const Node& node, const std::vector<double>& x) {
  const Tensor& weight = model.weight(node.inputs[1]);
  std::vector<double> y(static_cast<size_t>(weight.dim(0)), 0);
  for (size_t o = 0; o < y.size(); ++o) {
    for (size_t i = 0; i < x.size(); ++i) {
      y[o] += weight.data<float>()[o * x.size() + i] * x[i];
    }
    if (node.inputs.size() > 2) {
      y[o] += model.weight(node.inputs[2]).data<float>()[o];
    }
  }
  return y;
}

std::vector<double> batch_norm(const Model& model, std::vector<double> y) {
  const auto at = [&](const char* name, size_t c) {
    return model.weight(name).data<float>()[c];
  };
  for (size_t c = 0; c < y.size(); ++c) {
    y[c] = at("bn.scale", c) * (y[c] - at("bn.mean", c)) /
               std::sqrt(static_cast<double>(at("bn.variance", c)) + 1e-3F) +
           at("bn.bias", c);
  }
  return y;
}

void expect_folded(const Model& before, const std::string& producer, size_t window) {
  const Model after = run_passes(before, inference_passes());
  const Node& folded = after.graph.nodes.at(1);
  std::vector<double> x;
  core::Rng rng(9);
  for (size_t i = 0; i < window; ++i) {
    x.push_back(rng.normal());
  }
  const auto want = batch_norm(before, affine(before, before.graph.at(producer), x));
  const auto got = affine(after, folded, x);
  ASSERT_EQ(got.size(), want.size());
  for (size_t c = 0; c < want.size(); ++c) {
    EXPECT_NEAR(got[c], want[c], 1e-5);
  }
  for (const Node& node : after.graph.nodes) {
    EXPECT_NE(node.op, Op::BatchNorm);
  }
  EXPECT_EQ(after.weights.size(), 2U);  // weight and bias
}

TEST(FoldBatchNorm, ConvolutionWithAndWithoutBias) {
  for (const bool bias : {false, true}) {
    Weights weights = bn_weights(5);
    weights["w"] = random_tensor({5, 3, 3, 3}, 5);
    std::vector<std::string> inputs{"x", "w"};
    if (bias) {
      weights["b"] = random_tensor({5}, 6);
      inputs.emplace_back("b");
    }
    const Model model =
        model_of({{"x", {3, 8, 8}}},
                 weights,
                 {node_of("conv", Op::Conv, inputs, ConvAttributes{.kernel = {3, 3}}),
                  bn_node("conv"),
                  node_of("y", Op::Relu, {"bn"})});
    expect_folded(model, "conv", 27);
  }
}

TEST(FoldBatchNorm, GroupedConvolution) {
  Weights weights = bn_weights(4);
  weights["w"] = random_tensor({4, 1, 2, 2}, 5);
  const Model model = model_of(
      {{"x", {4, 8, 8}}},
      weights,
      {node_of("conv", Op::Conv, {"x", "w"}, ConvAttributes{.kernel = {2, 2}, .groups = 4}),
       bn_node("conv"),
       node_of("y", Op::Relu, {"bn"})});
  expect_folded(model, "conv", 4);
}

TEST(FoldBatchNorm, GemmWhoseBnIsTheOutputKeepsTheOutputsName) {
  Weights weights = bn_weights(6);
  weights["w"] = random_tensor({6, 7}, 5);
  const Model model =
      model_of({{"x", {7}}}, weights, {node_of("gemm", Op::Gemm, {"x", "w"}), bn_node("gemm")});
  expect_folded(model, "gemm", 7);
  const Model after = run_passes(model, inference_passes());
  EXPECT_THAT(after.graph.outputs, ElementsAre("bn"));
  EXPECT_EQ(after.graph.at("bn").op, Op::Gemm);
}

TEST(FoldBatchNorm, DoesNotWriteIntoSharedBytesOrWeights) {
  Weights weights = bn_weights(3);
  weights["w"] = random_tensor({3, 3}, 5);
  const Model model = model_of({{"x", {3}}},
                               weights,
                               {node_of("first", Op::Gemm, {"x", "w"}),
                                bn_node("first"),
                                node_of("second", Op::Gemm, {"bn", "w"})});
  const std::string hash = content_hash(model);
  const Model after = run_passes(model, inference_passes());
  EXPECT_EQ(content_hash(model), hash);
  EXPECT_EQ(after.graph.at("second").inputs[1], "w");
  EXPECT_NE(after.graph.at("first").inputs[1], "w");
  EXPECT_EQ(after.weight("w").bytes(), model.weight("w").bytes());
}

TEST(FoldBatchNorm, LeavesAProducerAloneThatOthersNeed) {
  Weights weights = bn_weights(3);
  weights["w"] = random_tensor({3, 3}, 5);
  const std::vector<Node> nodes{node_of("gemm", Op::Gemm, {"x", "w"}),
                                bn_node("gemm"),
                                node_of("y", Op::Add, {"bn", "gemm"})};
  const Model shared = model_of({{"x", {3}}}, weights, nodes);
  EXPECT_EQ(content_hash(run_passes(shared, inference_passes())), content_hash(shared));

  Model output = model_of({{"x", {3}}}, weights, {nodes[0], nodes[1]});
  output.graph.outputs = {"bn", "gemm"};
  EXPECT_EQ(content_hash(run_passes(output, inference_passes())), content_hash(output));
}

TEST(FoldBatchNorm, RefusesStatisticsWithoutAFiniteFactor) {
  Weights weights = bn_weights(3);
  weights["w"] = random_tensor({3, 3}, 5);
  weights["bn.variance"].data<float>()[2] = -1;
  const Model model =
      model_of({{"x", {3}}}, weights, {node_of("gemm", Op::Gemm, {"x", "w"}), bn_node("gemm")});
  EXPECT_THAT(message_of(core::ErrorKind::Numeric, [&] { run_passes(model, inference_passes()); }),
              HasSubstr("node 'bn' (BatchNorm): channel 2"));
}

TEST(RemoveDropout, RewiresConsumersAndOutputs) {
  const Model model = model_of({{"x", {3}}},
                               {},
                               {node_of("a", Op::Relu, {"x"}),
                                node_of("d1", Op::Dropout, {"a"}, DropoutAttributes{}),
                                node_of("d2", Op::Dropout, {"d1"}, DropoutAttributes{}),
                                node_of("b", Op::Relu, {"d2"}),
                                node_of("d3", Op::Dropout, {"b"}, DropoutAttributes{})});
  Model after = make_remove_dropout()->apply(model);
  EXPECT_EQ(after.graph.nodes.size(), 3U);
  EXPECT_THAT(after.graph.at("b").inputs, ElementsAre("a"));
  EXPECT_THAT(after.graph.outputs, ElementsAre("b"));
  EXPECT_NO_THROW(verify(after));
}

TEST(RemoveDropout, KeepsOutputsDistinct) {
  Model model = model_of(
      {{"x", {3}}},
      {},
      {node_of("a", Op::Relu, {"x"}), node_of("d", Op::Dropout, {"a"}, DropoutAttributes{})});
  model.graph.outputs = {"a", "d"};
  const Model after = run_passes(model, inference_passes());
  EXPECT_THAT(after.graph.outputs, ElementsAre("a", "d"));
}

TEST(RemoveUnused, DropsDeadNodesAndWeightsButNoInputs) {
  Model model =
      model_of({{"x", {3}}, {"z", {3}}},
               {{"w", Tensor(DType::F32, {2, 3})}, {"dead", Tensor(DType::F32, {2, 2})}},
               {node_of("y", Op::Gemm, {"x", "w"}), node_of("n", Op::Gemm, {"y", "dead"})});
  model.graph.outputs = {"y"};
  const Model after = run_passes(model, inference_passes());
  EXPECT_EQ(after.graph.nodes.size(), 3U);
  EXPECT_EQ(after.graph.inputs().size(), 2U);
  EXPECT_THAT(after.weights, ElementsAre(::testing::Key("w")));
}

TEST(InferencePasses, LeaveQuantisedModelsValid) {
  const Model after = run_passes(testing::model_with_every_op(), inference_passes());
  EXPECT_EQ(after.graph.find("dropout1"), nullptr);
  EXPECT_EQ(after.graph.find("bn1"), nullptr);
  EXPECT_NE(after.graph.find("w"), nullptr);
}

class Vandal final : public Pass {
 public:
  std::string_view name() const override { return "vandal"; }

  Model apply(Model model) const override {
    model.graph.nodes.pop_back();
    return model;
  }
};

TEST(RunPasses, NamesThePassThatBreaksAModel) {
  std::vector<std::unique_ptr<Pass>> passes;
  passes.push_back(std::make_unique<Vandal>());
  const Model model = testing::model_with_every_op();
  EXPECT_THAT(message_of(core::ErrorKind::Internal, [&] { run_passes(model, passes); }),
              HasSubstr("pass 'vandal' broke the model: output 'probabilities'"));
  EXPECT_EQ(content_hash(run_passes(model, passes, {"vandal"})), content_hash(model));
}

TEST(RunPasses, TimesAndDisables) {
  std::vector<PassTiming> timings;
  const Model after =
      run_passes(testing::model_with_every_op(), inference_passes(), {"remove_dropout"}, &timings);
  ASSERT_EQ(timings.size(), 2U);
  EXPECT_EQ(timings[0].pass, "fold_batch_norm");
  EXPECT_NE(after.graph.find("dropout1"), nullptr);
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument,
                         [&] { run_passes(after, inference_passes(), {"remove_dropuot"}); }),
              HasSubstr("did you mean 'remove_dropout'"));
}

}  // namespace
}  // namespace coppice::graph
