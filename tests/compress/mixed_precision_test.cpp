#include "compress/mixed_precision.h"

#include <gmock/gmock.h>

#include "compress/network.h"
#include "compress/quantise.h"
#include "compress/samples.h"
#include "core/error.h"
#include "graph/cost.h"
#include "graph/pass.h"

namespace coppice::compress {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// conv2 reads channels of very different sizes, of which the smallest matter: int8 hurts it most.
graph::Model make_sensitive_cnn() {
  graph::Model model = make_cnn();
  const auto scale_rows = [&](const std::string& name, size_t rows, auto factor) {
    graph::Tensor tensor = model.weight(name).clone();
    const auto values = tensor.data<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] *= factor(i / (values.size() / rows), i % (values.size() / rows));
    }
    model.weights[name] = tensor;
  };
  const auto large = [](size_t row, size_t) {
    return row % 4 == 0 ? 40.0F : 1.0F;
  };
  scale_rows("bn1.scale", 8, large);
  scale_rows("bn1.bias", 8, large);
  scale_rows("conv2.weight", 12, [](size_t, size_t i) { return i / 9 % 4 == 0 ? 0.001F : 1.0F; });
  return model;
}

template <class Function>
void expect_refused_mix(core::ErrorKind kind, const std::string& reason, Function function) {
  try {
    function();
    FAIL() << "expected: " << reason;
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_THAT(error.what(), HasSubstr(reason));
  }
}

TEST(MixedPrecision, FindsTheLayerThatSuffers) {
  const graph::Model model = graph::run_passes(make_sensitive_cnn(), graph::inference_passes());
  const auto layers = measure_sensitivity(model, noise_for(model, 32, 1), {});
  ASSERT_EQ(layers.size(), 4U);
  EXPECT_EQ(layers[0].layer, "conv2");
  EXPECT_LT(layers[0].sqnr_db + 6, layers[1].sqnr_db);
  for (size_t i = 1; i < layers.size(); ++i) {
    EXPECT_LE(layers[i - 1].sqnr_db, layers[i].sqnr_db);
  }
}

TEST(MixedPrecision, ChoosesTheMostSensitiveThatFit) {
  const std::vector<LayerSensitivity> layers{{"a", 10}, {"big", 12}, {"c", 20}, {"d", 30}};
  const auto cost = [](const std::vector<std::string>& names) {
    double sum = 100;
    for (const std::string& name : names) {
      sum += name == "big" ? 50 : 5;
    }
    return sum;
  };
  EXPECT_THAT(choose_float_layers(layers, 112, cost), ElementsAre("a", "c"));
  EXPECT_THAT(choose_float_layers(layers, 155, cost), ElementsAre("a", "big"));
  EXPECT_THAT(choose_float_layers(layers, 100, cost), ElementsAre());
  expect_refused_mix(core::ErrorKind::InvalidArgument, "costs 100", [&] {
    choose_float_layers(layers, 99, cost);
  });
}

TEST(MixedPrecision, OneFloatLayerMendsTheModel) {
  const graph::Model model = make_sensitive_cnn();
  const graph::Tensor samples = noise_for(model, 64, 1);
  const graph::Tensor exact = outputs_on(model, samples);
  QuantiseReport report;
  const graph::Model mixed =
      quantise(model, samples, {.mixed = {.budget = "layers", .limit = 1}}, &report);
  EXPECT_THAT(report.float_layers, ElementsAre("conv2"));
  EXPECT_THAT(report.int8_layers, ElementsAre("conv1", "fc", "logits"));
  EXPECT_EQ(mixed.weight("conv2.weight").dtype(), graph::DType::F32);
  EXPECT_EQ(mixed.weight("fc.weight_q").dtype(), graph::DType::I8);
  const double all = measured_sqnr_db(exact, outputs_on(quantise(model, samples, {}), samples));
  EXPECT_GT(measured_sqnr_db(exact, outputs_on(mixed, samples)), all + 6);
}

TEST(MixedPrecision, KeepsToABudgetOfBytes) {
  const graph::Model model = make_cnn();
  const graph::Tensor samples = noise_for(model, 32, 1);
  const auto bytes = [&](const graph::Model& of) {
    return static_cast<double>(graph::cost(of).weight_bytes);
  };
  const double least = bytes(quantise(model, samples, {.bias_correction = false}));
  for (const double share : {1.0, 1.5, 2.5}) {
    const QuantiseOptions options{.bias_correction = false,
                                  .mixed = {.budget = "bytes", .limit = share * least}};
    EXPECT_LE(bytes(quantise(model, samples, options)), share * least);
  }
  expect_refused_mix(core::ErrorKind::InvalidArgument, "with every layer in int8", [&] {
    quantise(model, samples, {.mixed = {.budget = "bytes", .limit = least - 1}});
  });
  expect_refused_mix(core::ErrorKind::InvalidArgument, "all 4 layers in float", [&] {
    quantise(model, samples, {.mixed = {.budget = "layers", .limit = 4}});
  });
}

TEST(MixedPrecision, ABudgetOfLatencyIsMeasured) {
  const graph::Model model = make_mlp();
  const graph::Tensor samples = noise_for(model, 32, 1);
  expect_refused_mix(core::ErrorKind::InvalidArgument, "raise the limit", [&] {
    quantise(model, samples, {.mixed = {.budget = "latency", .limit = 0}});
  });
}

TEST(MixedPrecision, NamedLayersStayFloat) {
  const graph::Model model = make_resnet();
  const graph::Tensor samples = noise_for(model, 32, 1);
  const graph::Model mixed = quantise(model, samples, {.float_layers = {"conv2", "stem"}});
  EXPECT_TRUE(mixed.is_weight(mixed.graph.at("conv2").inputs[1]));
  EXPECT_TRUE(mixed.is_weight(mixed.graph.at("stem").inputs[1]));
  EXPECT_FALSE(mixed.is_weight(mixed.graph.at("conv1").inputs[1]));
  expect_refused_mix(core::ErrorKind::NotFound, "did you mean 'conv2'", [&] {
    quantise(model, samples, {.float_layers = {"conv22"}});
  });
}

}  // namespace

}  // namespace coppice::compress
