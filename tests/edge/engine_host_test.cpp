#include "edge/engine_host.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/hash.h"
#include "edge/tiny_model.h"

namespace coppice::edge {
namespace {

using namespace testing;
using ::testing::_;
using ::testing::HasSubstr;

graph::Tensor two_images() {
  core::Rng rng(1);
  graph::Tensor samples(graph::DType::U8, {2, kFeatures});
  const auto sure = image(2, 255, rng);
  const auto doubtful = image(1, 20, rng);
  std::memcpy(samples.bytes(), sure.data(), sure.size());
  std::memcpy(samples.bytes() + kFeatures, doubtful.data(), doubtful.size());
  return samples;
}

TEST(EngineHost, Predicts) {
  EngineHost host({});
  EXPECT_FALSE(host.loaded());
  host.load(good_model());
  EXPECT_EQ(host.artefact_hash(), core::sha256(good_model()));
  const auto predictions = host.predict(two_images());
  ASSERT_EQ(predictions.size(), 2U);
  EXPECT_EQ(predictions[0].label, 2);
  EXPECT_GT(predictions[0].confidence, 0.99);
  EXPECT_EQ(predictions[1].label, 1);
  EXPECT_NEAR(predictions[1].confidence, 0.422, 0.001);  // e^0.784 / (e^0.784 + 3)
}

TEST(EngineHost, WhatIsPreparedWaitsUntilItIsPutInService) {
  EngineHost host({});
  host.load(good_model());
  const auto put_in_service = host.prepare(wrong_model());
  EXPECT_EQ(host.predict(two_images())[0].label, 2);
  EXPECT_EQ(host.artefact_hash(), core::sha256(good_model()));
  put_in_service();
  EXPECT_EQ(host.predict(two_images())[0].label, 3);
  EXPECT_EQ(host.artefact_hash(), core::sha256(wrong_model()));
}

core::Bytes model_of_two_inputs() {
  graph::Model model = answering_model({0, 1, 2, 3});
  graph::Node second = model.graph.nodes.front();
  second.name = "second";
  model.graph.nodes.insert(model.graph.nodes.begin(), second);
  return graph::to_onnx(model);
}

core::Bytes model_of_images() {
  graph::Builder builder(graph::DType::U8, {1, 4, 4}, core::Rng(1));
  return graph::to_onnx(builder.build({builder.normalise(builder.input(), {0}, {1})}));
}

TEST(EngineHost, WhatCanNotBeRunIsRefusedAndTheOneBeforeStays) {
  EngineHost host({});
  host.load(good_model());
  core::Bytes truncated = wrong_model();
  truncated.resize(truncated.size() / 2);
  EXPECT_ERROR(host.load(truncated), Corrupt, _);
  EXPECT_ERROR(host.load({}), Corrupt, _);
  EXPECT_ERROR(host.load(model_of_two_inputs()), Unsupported, HasSubstr("one input"));
  EXPECT_ERROR(host.load(model_of_images()), Unsupported, HasSubstr("per class"));
  EXPECT_ERROR(host.load(nan_model()), Numeric, HasSubstr("NaN"));
  EXPECT_EQ(host.predict(two_images())[0].label, 2);
  EXPECT_EQ(host.artefact_hash(), core::sha256(good_model()));
}

TEST(EngineHost, SamplesThatDoNotFitAreAnError) {
  EngineHost host({});
  host.load(good_model());
  EXPECT_ERROR(
      host.predict(graph::Tensor(graph::DType::U8, {1, kFeatures + 1})), InvalidArgument, _);
}

}  // namespace
}  // namespace coppice::edge
