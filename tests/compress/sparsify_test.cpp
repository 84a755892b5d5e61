#include "compress/sparsify.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "compress/network.h"
#include "compress/quantise.h"
#include "core/error.h"
#include "graph/models.h"
#include "graph/onnx.h"
#include "graph/transfer.h"

namespace coppice::compress {

namespace {

using graph::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two layers whose magnitudes are told apart: fc1 holds 1, -2, ..., fc2 ten times as much.
graph::Model two_scales() {
  Network net(graph::DType::F32, {4});
  std::string x = net.relu("relu", net.gemm("fc1", "input", 5));
  graph::Model model = net.build({net.gemm("fc2", x, 2)});
  float value = 1;
  for (const std::string name : {"fc1.weight", "fc2.weight"}) {
    const float scale = name == "fc1.weight" ? 1.0F : 10.0F;
    value = 1;
    for (float& v : model.weights.at(name).data<float>()) {
      v = scale * value;
      value = value > 0 ? -value - 1 : -value + 1;
    }
  }
  return model;
}

std::vector<float> weights_of(const graph::Model& model, const std::string& name) {
  const auto values = model.weight(name).data<float>();
  return {values.begin(), values.end()};
}

TEST(Sparsify, GloballyTheSmallestOfAllLayersGo) {
  const graph::Model model = two_scales();  // 20 and 10 weights
  SparsifyReport report;
  const graph::Model sparse = sparsify(model, {.share = 0.5, .max_share_per_layer = 1}, &report);
  // The 15 smallest: 1 to 14 of fc1, then 10 of fc2 or 10 of fc1 among them.
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(report.rows[0].zeros + report.rows[1].zeros, 15);
  EXPECT_EQ(report.rows[0].zeros, 14);
  EXPECT_EQ(report.rows[1].zeros, 1) << "10 of fc2 is below 15 of fc1";
  const auto fc1 = weights_of(sparse, "fc1.weight");
  for (size_t i = 0; i < fc1.size(); ++i) {
    EXPECT_EQ(fc1[i] == 0, i < 14) << i;
  }
  EXPECT_EQ(weights_of(sparse, "fc1.bias"), weights_of(model, "fc1.bias"));
  EXPECT_EQ(weights_of(model, "fc1.weight")[0], 1) << "the model given is left alone";
}

TEST(Sparsify, ByLayerEachLosesItsShare) {
  SparsifyReport report;
  sparsify(two_scales(), {.share = 0.5, .scope = "layer"}, &report);
  EXPECT_EQ(report.rows[0].zeros, 10);
  EXPECT_EQ(report.rows[1].zeros, 5);
}

TEST(Sparsify, LayersHaveSharesOfTheirOwnAndCanBeLeftOut) {
  SparsifyReport report;
  sparsify(two_scales(), {.share = 0.9, .layers = {{"*1", 0.25}}, .exclude = {"fc2"}}, &report);
  EXPECT_EQ(report.rows[0].zeros, 5);
  EXPECT_EQ(report.rows[1].zeros, 0);
}

TEST(Sparsify, NoLayerLosesMoreThanItsLimit) {
  SparsifyReport report;
  sparsify(two_scales(), {.share = 0.6, .max_share_per_layer = 0.7}, &report);
  EXPECT_EQ(report.rows[0].zeros, 14);
  EXPECT_EQ(report.rows[1].zeros, 4);
  EXPECT_THAT(
      message_of(core::ErrorKind::InvalidArgument,
                 [&] { sparsify(two_scales(), {.share = 0.8, .max_share_per_layer = 0.7}); }),
      HasSubstr("lets 0.7000"));
}

TEST(Sparsify, OfEqualMagnitudesTheFirstGo) {
  graph::Model model = two_scales();
  for (float& v : model.weights.at("fc2.weight").data<float>()) {
    v = 3;
  }
  const auto fc2 = weights_of(sparsify(model, {.share = 0.3, .scope = "layer", .exclude = {"fc1"}}),
                              "fc2.weight");
  EXPECT_THAT(fc2, ElementsAre(0, 0, 0, 3, 3, 3, 3, 3, 3, 3));
}

TEST(Sparsify, MakesTheModelSmallerToSendAndSurvivesQuantisation) {
  const graph::Model model =
      graph::build_model({.name = "lenet_300_100"}, graph::testing::fashion_input(), 1);
  const graph::Model sparse = sparsify(model, {.share = 0.95});
  const auto bytes = [](const graph::Model& m) {
    return graph::to_transfer(graph::to_onnx(m)).size();
  };
  EXPECT_LT(bytes(sparse), bytes(model) / 10);
  graph::Tensor samples(graph::DType::U8, {8, 1, 28, 28});
  core::Rng rng(1);
  for (uint8_t& pixel : samples.data<uint8_t>()) {
    pixel = static_cast<uint8_t>(rng.below(256));
  }
  const core::Bytes int8 = graph::to_onnx(quantise(sparse, samples, {.bias_correction = false}));
  const core::Bytes coded = graph::to_transfer(int8);
  EXPECT_EQ(graph::from_transfer(coded), int8);
  EXPECT_LT(coded.size(), bytes(sparse));
}

TEST(Sparsify, RefusesWhatItCannotDo) {
  using enum core::ErrorKind;
  const graph::Model model = two_scales();
  const graph::Model sparse = sparsify(model, {.share = 0.5});
  EXPECT_THAT(message_of(InvalidArgument, [&] { sparsify(sparse, {.share = 0.4}); }),
              HasSubstr("no weight would become zero"));
  EXPECT_THAT(message_of(InvalidArgument, [&] { sparsify(model, {.exclude = {"conv*"}}); }),
              HasSubstr("'conv*' fits no layer"));
  graph::Model broken = model;
  broken.weights.at("fc1.weight") = model.weight("fc1.weight").clone();
  broken.weights.at("fc1.weight").data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  message_of(Numeric, [&] { sparsify(broken, {}); });
  const graph::Tensor samples = graph::testing::random_tensor({4, 4}, 1);
  EXPECT_THAT(message_of(InvalidArgument, [&] { sparsify(quantise(model, samples, {}), {}); }),
              HasSubstr("quantised"));
}

}  // namespace

}  // namespace coppice::compress
