#include "graph/builder.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/models.h"

namespace coppice::graph {
namespace {

using testing::fashion_input;

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments(const Tensor& tensor) {
  Moments m;
  for (const float value : tensor.data<float>()) {
    m.mean += value;
    m.deviation += static_cast<double>(value) * value;
  }
  const auto n = static_cast<double>(tensor.size());
  m.mean /= n;
  m.deviation = std::sqrt(m.deviation / n - m.mean * m.mean);
  return m;
}

TEST(Initialise, WeightsHaveHeVarianceBeforeReluAndUnitGainElsewhere) {
  ModelOptions options;
  options.name = "mlp";
  options.widths = {400};
  ModelInput input = fashion_input();
  input.class_names.resize(100, "c");
  const Model model = build_model(options, input, 3);
  const Moments hidden = moments(model.weight("gemm1.weight"));
  EXPECT_NEAR(hidden.mean, 0, 0.001);
  EXPECT_NEAR(hidden.deviation, std::sqrt(2.0 / 784), 0.001);
  EXPECT_NEAR(moments(model.weight("logits.weight")).deviation, std::sqrt(1.0 / 400), 0.002);
  EXPECT_EQ(moments(model.weight("logits.bias")).deviation, 0);
  ModelOptions resnet;
  resnet.name = "resnet";
  const Model residual =
      build_model(resnet, fashion_input(), 3);  // conv3 is followed by BN, addition, ReLU
  EXPECT_NEAR(moments(residual.weight("conv3.weight")).deviation, std::sqrt(2.0 / 144), 0.006);
}

TEST(Initialise, VarianceFollowsTheNextActivation) {
  const auto gain_before = [](const auto& activate) {
    Builder builder(DType::F32, {400}, core::Rng(1));
    activate(builder, builder.gemm(builder.input(), 200));
    const Model model = builder.build({builder.gemm(builder.last(), 2)});
    const double deviation = moments(model.weight("gemm1.weight")).deviation;
    return deviation * deviation * 400;
  };
  using B = Builder&;
  using X = const std::string&;
  const double slope = 0.5;
  EXPECT_NEAR(gain_before([](B b, X x) { b.clip(x, 0, 6); }), 2, 0.05);
  EXPECT_NEAR(gain_before([](B b, X x) { b.silu(x); }), 2, 0.05);
  EXPECT_NEAR(gain_before([](B b, X x) { b.gelu(x); }), 2, 0.05);
  EXPECT_NEAR(gain_before([](B b, X x) { b.unary(Op::HardSwish, x); }), 2, 0.05);
  EXPECT_NEAR(gain_before([&](B b, X x) { b.leaky_relu(x, slope); }), 1.6, 0.05);
  EXPECT_NEAR(gain_before([](B b, X x) { b.unary(Op::Tanh, x); }), 1, 0.05);
  EXPECT_NEAR(gain_before([](B b, X x) { b.unary(Op::Sigmoid, x); }), 1, 0.05);
}

TEST(Builder, StandardisesFeaturesEachByItsOwn) {
  Builder builder(DType::F32, {3}, core::Rng(1));
  builder.normalise(builder.input(), {1, 2, 3}, {4, 5, 6}, "standard");
  const Model model = builder.build({"standard"});
  EXPECT_EQ(model.weight("sub1.value").shape(), (Shape{3}));
  EXPECT_THAT(model.weight("standard.value").data<float>(), ::testing::ElementsAre(4, 5, 6));
}

TEST(Builder, RenamesTheNewestNodeWithItsWeights) {
  Builder builder(DType::F32, {3, 8, 8}, core::Rng(1));
  builder.conv(builder.input(), 4, {}, true);
  EXPECT_EQ(builder.rename_last("stem"), "stem");
  EXPECT_THROW(builder.rename_last("input"), core::Error);
  EXPECT_EQ(builder.conv("stem", 4, {}, false), "conv2");
  const Model model = builder.build({"conv2"});
  EXPECT_TRUE(model.is_weight("stem.weight"));
  EXPECT_TRUE(model.is_weight("stem.bias"));
  EXPECT_FALSE(model.is_weight("conv1.weight"));
  EXPECT_NE(moments(model.weight("stem.weight")).deviation, 0);
}

TEST(Builder, InventsNames) {
  Builder builder(DType::F32, {3, 8, 8}, core::Rng(1));
  EXPECT_EQ(builder.conv(builder.input(), 4, {}, false), "conv1");
  EXPECT_EQ(builder.conv("conv1", 4, {}, true), "conv2");
  EXPECT_EQ(builder.gemm(builder.flatten(builder.relu("conv2")), 2, false, "head"), "head");
  EXPECT_EQ(builder.shape("flatten1"), (Shape{-1, 256}));
  const Model model = builder.build({"head"});
  EXPECT_TRUE(model.is_weight("conv2.bias"));
  EXPECT_FALSE(model.is_weight("conv1.bias"));
  EXPECT_FALSE(model.is_weight("head.bias"));
}

TEST(Builder, ReportsALayerThatDoesNotFitWhereItIsAdded) {
  Builder builder(DType::F32, {3, 8, 8}, core::Rng(1));
  EXPECT_THROW(builder.gemm(builder.input(), 4), core::Error);
  EXPECT_THROW(builder.conv(builder.input(), 0, {}, false), core::Error);
  EXPECT_THROW(builder.conv("ghost", 4, {}, false), core::Error);
}

}  // namespace
}  // namespace coppice::graph
