#include "monitor/page_hinkley.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "monitor/streams.h"

namespace coppice::monitor {
namespace {

DriftOptions options(double delta, double threshold, int64_t min_samples) {
  return {.detector = "page_hinkley",
          .delta = delta,
          .threshold = threshold,
          .min_samples = min_samples};
}

TEST(PageHinkley, SignalsAtTheValueComputedByHand) {
  const std::vector<double> stream{0, 0, 1, 1, 1, 1, 1};
  // Sums without delta: 0, 0, 2/3, 7/6, 47/30.
  EXPECT_EQ(first_signal(PageHinkley(options(0, 1.2, 1)), stream), 4);
  EXPECT_EQ(first_signal(PageHinkley(options(0, 1.1, 1)), stream), 3);
  EXPECT_EQ(first_signal(PageHinkley(options(0, 1.3, 1)), stream), 4);
  // With delta 0.1 the rise over the least sum -0.2 is 17/30, 29/30, 19/15, 1.5.
  EXPECT_EQ(first_signal(PageHinkley(options(0.1, 1.3, 1)), stream), 5);
}

TEST(PageHinkley, WaitsForItsLeastNumberOfValues) {
  std::vector<double> jump{0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_EQ(first_signal(PageHinkley(options(0, 0.5, 8)), jump), 7);
}

TEST(PageHinkley, StartsAfreshAfterASignal) {
  PageHinkley detector(options(0.005, 10, 30));
  auto stream = bernoulli_stream({{1000, 0.1}, {1000, 0.5}, {1000, 0.9}}, 1);
  const auto signals = all_signals(detector, stream);
  ASSERT_GE(signals.size(), 2U);
  EXPECT_GE(signals[0], 1000);
  EXPECT_LT(signals[0], 1100);
  EXPECT_GE(signals.back(), 2000);
  EXPECT_LT(signals.back(), 2100);
}

TEST(PageHinkley, IgnoresADecrease) {
  PageHinkley detector(options(0.05, 20, 30));
  EXPECT_TRUE(all_signals(detector, bernoulli_stream({{1000, 0.8}, {1000, 0.2}}, 2)).empty());
}

TEST(PageHinkley, ResetForgetsTheStream) {
  PageHinkley detector(options(0, 1.2, 1));
  for (const double x : {0, 0, 1, 1}) {
    EXPECT_FALSE(detector.add(x));
  }
  detector.reset();
  for (const double x : {0, 0, 1, 1}) {
    EXPECT_FALSE(detector.add(x));
  }
  EXPECT_TRUE(detector.add(1));
}

TEST(PageHinkley, SeldomAlarmsWithoutAChange) {
  int alarms = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    PageHinkley detector(options(0.05, 20, 30));
    alarms += static_cast<int>(all_signals(detector, bernoulli_stream({{4000, 0.2}}, seed)).size());
  }
  // A stationary stream climbs 20 with a chance of about exp(-2 * 0.05 * 20 / 0.16) = 4e-6 per
  // excursion.
  EXPECT_LE(alarms, 1);
}

TEST(PageHinkley, NeedsAboutThresholdOverRise) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    PageHinkley detector(options(0.05, 20, 30));
    const auto signals = all_signals(detector, bernoulli_stream({{1000, 0.1}, {1000, 0.6}}, seed));
    ASSERT_EQ(signals.size(), 1U) << seed;
    EXPECT_GE(signals[0], 1000 + 22) << seed;  // 20 / (1 - 0.05 - 0.1) at the very least
    EXPECT_LT(signals[0], 1000 + 100) << seed;
  }
}

TEST(PageHinkley, RefusesBadValuesAndOptions) {
  PageHinkley detector(options(0, 1.2, 1));
  EXPECT_THROW(detector.add(std::numeric_limits<double>::quiet_NaN()), core::Error);
  EXPECT_THROW(detector.add(std::numeric_limits<double>::infinity()), core::Error);
  EXPECT_EQ(first_signal(detector, {0, 0, 1, 1, 1}), 4);  // the refused values left no trace
  EXPECT_THROW(PageHinkley(options(-0.1, 1, 1)), core::Error);
  EXPECT_THROW(PageHinkley(options(0, -1, 1)), core::Error);
  EXPECT_THROW(PageHinkley(options(0, 1, 0)), core::Error);
}

}  // namespace
}  // namespace coppice::monitor
