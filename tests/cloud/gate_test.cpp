#include "cloud/gate.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/tiny_dataset.h"
#include "core/expect_error.h"
#include "edge/tiny_model.h"

namespace coppice::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Two classes, 50 samples each, all right and sure of it; `wrong` first samples of class 0 wrong.
Verdicts verdicts(size_t size, size_t wrong) {
  Verdicts v{std::vector<int64_t>(size), std::vector<double>(size, 0.95)};
  for (size_t i = 0; i < size; ++i) {
    const bool second_class = i >= size / 2;
    v.predicted[i] = (second_class ? 1 : 0) ^ (i < wrong ? 1 : 0);
  }
  return v;
}

std::vector<int64_t> truth(size_t size) {
  return verdicts(size, 0).predicted;
}

GateEvidence good_evidence() {
  GateEvidence e;
  e.truth = truth(100);
  e.challenger = verdicts(100, 5);
  e.champion = verdicts(100, 5);
  e.field_truth = truth(20);
  e.field_challenger = verdicts(20, 1);
  e.field_champion = verdicts(20, 1);
  e.classes = 2;
  e.bytes = 1000;
  e.latency_us = 100;
  return e;
}

constexpr GateOptions kGateOptions{.min_accuracy = 0.9,
                                   .max_drop_points = 2,
                                   .max_field_drop_points = 0,
                                   .significance = 0.05,
                                   .max_class_drop_points = 10,
                                   .max_calibration_error = 0.2,
                                   .max_bytes = 1000,
                                   .max_latency_us = 100,
                                   .judge_latency = true};

struct GateCase {
  const char* what;
  std::function<void(GateEvidence&, GateOptions&)> change;
  const char* reason;  ///< part of the only one; empty: passes
};

TEST(Gate, DecidesByTheTable) {
  const std::vector<GateCase> table{
      {"all is well", [](auto&, auto&) {}, ""},
      {"accuracy at the limit",
       [](auto& e, auto&) { e.challenger = e.champion = verdicts(100, 10); },
       ""},
      {"accuracy",
       [](auto& e, auto&) { e.challenger = e.champion = verdicts(100, 11); },
       "accuracy on the held-out set is 0.89, at least 0.9"},
      {"a drop that is allowed", [](auto& e, auto&) { e.challenger = verdicts(100, 7); }, ""},
      {"a drop", [](auto& e, auto&) { e.challenger = verdicts(100, 8); }, "held-out set in points"},
      {"no champion to drop below",
       [](auto& e, auto&) {
         e.challenger = verdicts(100, 10);
         e.champion = {};
         e.field_champion = {};
       },
       ""},
      {"a class that is forgotten while the whole is not",
       [](auto& e, auto& o) {
         e.champion = verdicts(100, 0);
         e.challenger = verdicts(100, 6);
         o.max_drop_points = 7;
       },
       "worst drop of a class's recall in points is 12, at most 10"},
      {"a field drop that may be chance: 6 against 1 of 20, p = 0.0625",
       [](auto& e, auto&) { e.field_challenger = verdicts(20, 6); },
       ""},
      {"a field drop that is none: 7 against 1 of 20, p = 0.03125",
       [](auto& e, auto&) { e.field_challenger = verdicts(20, 7); },
       "drop on field samples in points is 30, at most 0"},
      {"a field drop that is no chance but allowed",
       [](auto& e, auto& o) {
         e.field_challenger = verdicts(20, 7);
         o.max_field_drop_points = 31;
       },
       ""},
      {"a better model in the field",
       [](auto& e, auto&) { e.field_champion = verdicts(20, 10); },
       ""},
      {"no field samples",
       [](auto& e, auto&) { e.field_truth = {}, e.field_challenger = e.field_champion = {}; },
       ""},
      {"too sure of itself",
       [](auto& e, auto& o) {
         o.max_calibration_error = 0.04;
         e.challenger.confidence.assign(100, 1.0);
       },
       "calibration error is 0.05, at most 0.04"},
      {"size", [](auto& e, auto&) { e.bytes = 1001; }, "size in bytes is 1001, at most 1000"},
      {"latency", [](auto& e, auto&) { e.latency_us = 101; }, "median latency in us is 101"},
      {"latency that is not judged",
       [](auto& e, auto& o) {
         e.latency_us = 101;
         o.judge_latency = false;
       },
       ""},
  };
  for (const GateCase& c : table) {
    GateEvidence evidence = good_evidence();
    GateOptions options = kGateOptions;
    c.change(evidence, options);
    const GateVerdict verdict = decide_gate(evidence, options);
    EXPECT_EQ(verdict.passed, std::string(c.reason).empty()) << c.what;
    if (verdict.passed) {
      EXPECT_THAT(verdict.reasons, IsEmpty()) << c.what;
    } else {
      EXPECT_THAT(verdict.reasons, ElementsAre(HasSubstr(c.reason))) << c.what;
    }
  }
}

TEST(Gate, TellsEveryReasonAndWhatWasMeasured) {
  GateEvidence evidence = good_evidence();
  evidence.challenger = verdicts(100, 40);
  evidence.field_challenger = verdicts(20, 10);
  evidence.bytes = 2000;
  const GateVerdict verdict = decide_gate(evidence, kGateOptions);
  EXPECT_FALSE(verdict.passed);
  EXPECT_EQ(verdict.reasons.size(), 6U);
  EXPECT_DOUBLE_EQ(verdict.metrics.at("accuracy"), 0.6);
  EXPECT_DOUBLE_EQ(verdict.metrics.at("champion_accuracy"), 0.95);
  EXPECT_DOUBLE_EQ(verdict.metrics.at("negative_flips"), 0.35);
  EXPECT_NEAR(verdict.metrics.at("worst_class_drop_points"), 70, 1e-9);
  EXPECT_NEAR(verdict.metrics.at("calibration_error"), 0.35, 1e-9);
  EXPECT_DOUBLE_EQ(verdict.metrics.at("field_accuracy"), 0.5);
  EXPECT_DOUBLE_EQ(verdict.metrics.at("field_champion_accuracy"), 0.95);
  EXPECT_DOUBLE_EQ(verdict.metrics.at("field_p_value"), 2.0 / 512);
  EXPECT_DOUBLE_EQ(verdict.metrics.at("bytes"), 2000);
  EXPECT_DOUBLE_EQ(verdict.metrics.at("latency_us"), 100);
}

TEST(Gate, AClassThatIsNotInTheHeldOutSetIsNotJudged) {
  GateEvidence evidence = good_evidence();
  evidence.classes = 3;
  EXPECT_TRUE(decide_gate(evidence, kGateOptions).passed);
}

TEST(Gate, WithoutHeldOutSamplesThereIsNoVerdict) {
  EXPECT_ERROR(decide_gate({}, kGateOptions), Internal, HasSubstr("held-out"));
}

TEST(RunArtefact, AnswersForEverySampleInOrder) {
  const auto samples = testing::tiny_dataset(1500);  // more than it reads at a time
  const Verdicts good = run_artefact(edge::testing::good_model(), *samples, {});
  const Verdicts wrong = run_artefact(edge::testing::wrong_model(), *samples, {});
  ASSERT_EQ(good.predicted.size(), 1500U);
  ASSERT_EQ(good.confidence.size(), 1500U);
  for (int64_t i = 0; i < 1500; ++i) {
    ASSERT_EQ(good.predicted[static_cast<size_t>(i)], samples->label(i));
    ASSERT_EQ(wrong.predicted[static_cast<size_t>(i)], (samples->label(i) + 1) % 4);
  }
  EXPECT_GT(good.confidence[0], 0.99);
  EXPECT_THAT(run_artefact(edge::testing::good_model(), *testing::tiny_dataset(0), {}).predicted,
              IsEmpty());
}

TEST(RunArtefact, AnArtefactOfAnotherInputIsAnError) {
  const auto other = data::make_memory_dataset(
      {"classification", data::ElementType::U8, {3}, {"a", "b"}}, std::vector<std::byte>(3), {0});
  EXPECT_ERROR(run_artefact(edge::testing::good_model(), *other, {}),
               InvalidArgument,
               HasSubstr("does not fit samples of 3 bytes"));
}

}  // namespace
}  // namespace coppice::cloud
