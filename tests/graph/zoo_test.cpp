#include "graph/zoo.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "graph/cost.h"
#include "graph/models.h"

namespace coppice::graph {
namespace {

using testing::fashion_input;
using ::testing::HasSubstr;
using testing::message_of;

int count(const Model& model, Op op) {
  return static_cast<int>(std::count_if(model.graph.nodes.begin(),
                                        model.graph.nodes.end(),
                                        [&](const Node& n) { return n.op == op; }));
}

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

TEST(Zoo, EveryNetworkStartsWithBytesAndEndsWithLogits) {
  for (const std::string& name : zoo().names()) {
    SCOPED_TRACE(name);
    ModelOptions options;
    options.name = name;
    options.dropout = 0.1;
    const Model model = build_model(options, fashion_input(), 1);
    EXPECT_NO_THROW(verify(model));
    const Node& input = model.graph.nodes.front();
    EXPECT_EQ(input.dtype, DType::U8);
    EXPECT_EQ(input.shape, (Shape{-1, 1, 28, 28}));
    EXPECT_EQ(model.graph.outputs, std::vector<std::string>{"logits"});
    EXPECT_EQ(model.graph.nodes.back().name, "logits");
    EXPECT_EQ(model.graph.at("logits").shape, (Shape{-1, 10}));
    EXPECT_EQ(count(model, Op::Dropout), 1);
    EXPECT_EQ(model.metadata.class_names, fashion_input().class_names);
    EXPECT_FLOAT_EQ(model.weight("sub1.value").data<float>()[0], 72.9F);
    EXPECT_FLOAT_EQ(model.weight("div1.value").data<float>()[0], 90.F);
  }
}

TEST(Zoo, TheSameSeedGivesTheSameModel) {
  for (const std::string& name : zoo().names()) {
    ModelOptions options;
    options.name = name;
    const std::string hash = content_hash(build_model(options, fashion_input(), 5));
    EXPECT_EQ(hash, content_hash(build_model(options, fashion_input(), 5)));
    EXPECT_NE(hash, content_hash(build_model(options, fashion_input(), 6)));
  }
}

TEST(Zoo, CnnHasItsStages) {
  ModelOptions options;
  options.depth = 2;
  const Model model = build_model(options, fashion_input(), 1);
  EXPECT_EQ(count(model, Op::Conv), 6);
  EXPECT_EQ(count(model, Op::BatchNorm), 6);
  EXPECT_EQ(count(model, Op::MaxPool), 2);
  EXPECT_EQ(count(model, Op::GlobalAveragePool), 1);
  EXPECT_EQ(model.graph.at("conv6").shape, (Shape{-1, 64, 7, 7}));
  EXPECT_EQ(model.graph.at("conv1").inputs.size(), 2U);  // BN has the bias
}

TEST(Zoo, CnnCostsWhatPaperAndPencilSay) {
  const Cost c = cost(build_model({}, fashion_input(), 1));
  EXPECT_EQ(c.macs, 784 * 9 * 16 + 196 * 9 * 16 * 32 + 49 * 9 * 32 * 64 + 640);
  EXPECT_EQ(c.parameters, 9 * 16 + 9 * 16 * 32 + 9 * 32 * 64 + 2 * (16 + 32 + 64) + 640 + 10);
}

TEST(Zoo, ResNet20HasThePublishedSize) {
  ModelOptions options;
  options.name = "resnet";
  options.depth = 3;
  ModelInput input = fashion_input();
  input.sample_shape = {3, 32, 32};
  const Model model = build_model(options, input, 1);
  EXPECT_EQ(count(model, Op::Conv), 19 + 2);
  EXPECT_EQ(count(model, Op::Add), 9);
  // 0.27 M parameters in table 6 of the paper, which has parameter-free shortcuts; the projections
  // add 16 x 32 + 32 x 64 weights and a BN each.
  EXPECT_EQ(cost(model).parameters, 269'722 + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64);
  EXPECT_EQ(model.graph.at("global_pool1").shape, (Shape{-1, 64, 1, 1}));
}

TEST(Zoo, MlpTakesFeaturesAndImages) {
  ModelOptions options;
  options.name = "mlp";
  options.widths = {20};
  ModelInput input = fashion_input();
  EXPECT_EQ(count(build_model(options, input, 1), Op::Flatten), 1);
  input.dtype = DType::F32;
  input.sample_shape = {12};
  input.mean.assign(12, 1);
  input.std.assign(12, 2);
  const Model model = build_model(options, input, 1);
  EXPECT_EQ(count(model, Op::Flatten), 0);
  EXPECT_EQ(cost(model).parameters, 12 * 20 + 20 + 20 * 10 + 10);
}

TEST(Zoo, WeightsHaveHeVarianceBeforeReluAndUnitGainElsewhere) {
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

TEST(Zoo, RefusesOptionsThatDoNotFit) {
  const auto invalid = core::ErrorKind::InvalidArgument;
  const auto refusal = [&](const ModelOptions& options, const ModelInput& input) {
    return message_of(invalid, [&] { build_model(options, input, 1); });
  };
  ModelOptions options;
  ModelInput input = fashion_input();
  input.sample_shape = {784};
  EXPECT_THAT(refusal(options, input), HasSubstr("'cnn' takes images"));
  input = fashion_input();
  options.widths = {4, 4, 4, 4, 4, 4};
  EXPECT_THAT(refusal(options, input),
              HasSubstr("node 'max_pool5' (MaxPool): kernel [2, 2] does not fit"));
  options.widths = {};
  EXPECT_THAT(refusal(options, input), HasSubstr("at least one stage"));
  options.widths = {0};
  EXPECT_THAT(refusal(options, input), HasSubstr("every width"));
  options = {};
  options.dropout = 1;
  EXPECT_THAT(refusal(options, input), HasSubstr("dropout"));
  options = {};
  options.depth = 0;
  EXPECT_THAT(refusal(options, input), HasSubstr("depth"));
  input.mean = {1, 2, 3};
  EXPECT_THAT(refusal({}, input), HasSubstr("3 values for 1 channels"));
  input = fashion_input();
  input.std = {0};
  EXPECT_THAT(refusal({}, input), HasSubstr("must be positive"));
  input.class_names = {};
  EXPECT_THAT(refusal({}, input), HasSubstr("no classes"));
  options.depth = 1;
  options.name = "cnm";
  EXPECT_THAT(
      message_of(core::ErrorKind::NotFound, [&] { build_model(options, fashion_input(), 1); }),
      HasSubstr("did you mean 'cnn'"));
}

TEST(ModelOptions, ReadFromYaml) {
  const auto options = core::read_options<ModelOptions>(
      core::parse_config_text("{name: resnet, widths: [8, 16], depth: 2, dropout: 0.3}", "test"));
  EXPECT_EQ(options.name, "resnet");
  EXPECT_EQ(options.widths, (std::vector<int64_t>{8, 16}));
  EXPECT_EQ(options.depth, 2);
  EXPECT_DOUBLE_EQ(options.dropout, 0.3);
  EXPECT_THROW(core::read_options<ModelOptions>(core::parse_config_text("{name: vgg}", "test")),
               core::Error);
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
