#include "monitor/calibration.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"
#include "metric_reference.h"

namespace coppice::monitor {
namespace {

double ece(std::vector<double> confidence, std::vector<uint8_t> correct, int bins = 15) {
  return expected_calibration_error(confidence, correct, bins);
}

TEST(Calibration, WeighsEachBinsGapByItsShare) {
  // Bins of 0.1: one sample each, gaps 0.05, 0.85, 0.35 and, for 0.3 at the upper border of its
  // bin, 0.7.
  EXPECT_NEAR(
      ece({0.95, 0.85, 0.35, 0.3}, {1, 0, 0, 1}, 10), (0.05 + 0.85 + 0.35 + 0.7) / 4, 1e-12);
  // One bin: means 0.6 and 0.5.
  EXPECT_NEAR(ece({0.4, 0.8}, {1, 0}, 1), 0.1, 1e-12);
  // (0.5, 1] holds 0.6, 0.7 and 0.8, of which two are right; (0, 0.5] holds 0.5.
  EXPECT_NEAR(ece({0.6, 0.7, 0.8, 0.5}, {1, 1, 0, 0}, 2), (std::abs(2 - 2.1) + 0.5) / 4, 1e-12);
}

TEST(Calibration, AgreesWithNumpy) {
  std::vector<double> confidence;
  std::vector<uint8_t> correct;
  for (size_t i = 0; i < reference::kTruth.size(); ++i) {
    const auto row = reference::kProbabilities.begin() + static_cast<std::ptrdiff_t>(5 * i);
    const auto top = std::max_element(row, row + 5);
    confidence.push_back(*top);
    correct.push_back(top - row == reference::kTruth[i] ? 1 : 0);
  }
  EXPECT_NEAR(expected_calibration_error(confidence, correct, 10), reference::kEce10, 1e-12);
  EXPECT_NEAR(expected_calibration_error(confidence, correct, 15), reference::kEce15, 1e-12);
  EXPECT_NEAR(
      adaptive_calibration_error(confidence, correct, 10), reference::kAdaptiveEce10, 1e-12);
  EXPECT_NEAR(
      adaptive_calibration_error(confidence, correct, 15), reference::kAdaptiveEce15, 1e-12);
}

TEST(Calibration, BinsHoldEverySampleOnce) {
  const std::vector<double> confidence{0, 0.1, 0.1, 0.25, 0.5, 0.9, 1};
  const std::vector<uint8_t> correct{0, 1, 0, 0, 1, 1, 1};
  const auto equal = calibration_bins(confidence, correct, 4);
  ASSERT_EQ(equal.size(), 4u);
  EXPECT_EQ(equal[0].count, 4);  // 0.25 stands at the upper border of the first
  EXPECT_DOUBLE_EQ(equal[0].confidence, 0.45 / 4);
  EXPECT_DOUBLE_EQ(equal[0].accuracy, 0.25);
  EXPECT_EQ(equal[2].count, 0);
  EXPECT_EQ(equal[2].accuracy, 0);
  const auto adaptive = adaptive_calibration_bins(confidence, correct, 3);
  ASSERT_EQ(adaptive.size(), 3u);
  EXPECT_EQ(adaptive[0].count, 3);
  EXPECT_EQ(adaptive[1].count, 2);
  EXPECT_EQ(adaptive[2].count, 2);
  EXPECT_EQ(adaptive[1].low, adaptive[0].high);
  EXPECT_EQ(adaptive[2].high, 1);
  EXPECT_EQ(adaptive_calibration_bins(confidence, correct, 100).size(), 7u);
  EXPECT_TRUE(adaptive_calibration_bins({}, {}, 5).empty());
}

TEST(Calibration, TakesTheEndsOfTheRange) {
  EXPECT_EQ(ece({}, {}), 0);
  EXPECT_EQ(ece({0, 1}, {0, 1}), 0);
  EXPECT_EQ(ece({0, 1}, {1, 0}), 1);
}

TEST(Calibration, TellsCalibratedFromOverconfident) {
  core::Rng rng(3);
  std::vector<double> confidence;
  std::vector<uint8_t> calibrated;
  std::vector<uint8_t> overconfident;
  for (int i = 0; i < 50000; ++i) {
    confidence.push_back(rng.uniform(0.5, 1));
    calibrated.push_back(rng.bernoulli(confidence.back()) ? 1 : 0);
    overconfident.push_back(rng.bernoulli(confidence.back() - 0.2) ? 1 : 0);
  }
  EXPECT_LT(ece(confidence, calibrated), 0.01);
  EXPECT_NEAR(ece(confidence, overconfident), 0.2, 0.01);
}

TEST(Calibration, RefusesWhatHasNoMeaning) {
  EXPECT_THROW(ece({0.5}, {}), core::Error);
  EXPECT_THROW(ece({0.5}, {1}, 0), core::Error);
  EXPECT_THROW(ece({1.01}, {1}), core::Error);
  EXPECT_THROW(ece({-0.01}, {1}), core::Error);
  EXPECT_THROW(ece({std::nan("")}, {1}), core::Error);
}

}  // namespace
}  // namespace coppice::monitor
