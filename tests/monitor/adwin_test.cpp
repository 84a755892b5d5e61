#include "monitor/adwin.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "monitor/streams.h"

namespace coppice::monitor {
namespace {

DriftOptions options(double delta, int64_t min_samples = 30) {
  return {.detector = "adwin", .delta = delta, .threshold = 0, .min_samples = min_samples};
}

/// Section 4 of the paper, at every cut of a plain window: what the buckets approximate.
bool has_cut(const std::vector<double>& window, double delta) {
  const auto n = static_cast<double>(window.size());
  const double mean = std::accumulate(window.begin(), window.end(), 0.0) / n;
  double squares = 0;
  for (const double x : window) {
    squares += (x - mean) * (x - mean);
  }
  const double log_term = std::log(2 * std::log(n) / delta);
  double older = 0;
  for (size_t cut = 1; cut < window.size(); ++cut) {
    older += window[cut - 1];
    const double n0 = static_cast<double>(cut);
    const double n1 = n - n0;
    const double m = 1 / (1 / n0 + 1 / n1);
    const double bound = std::sqrt(2 / m * squares / (n - 1) * log_term) + 2 / (3 * m) * log_term;
    if (std::abs(older / n0 - (mean * n - older) / n1) > bound) {
      return true;
    }
  }
  return false;
}

TEST(Adwin, SignalsWhenTheBoundAllowsIt) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const auto stream =
        bernoulli_stream({{200, 0.1}, {300, 0.2 + 0.02 * static_cast<double>(seed)}}, seed);
    std::vector<double> window;
    int64_t plain = -1;
    for (size_t i = 0; i < stream.size() && plain < 0; ++i) {
      window.push_back(stream[i]);
      plain = i >= 29 && has_cut(window, 0.01) ? static_cast<int64_t>(i) : -1;
    }
    const int64_t bucketed = first_signal(Adwin(options(0.01)), stream);
    if (plain < 0) {
      EXPECT_EQ(bucketed, -1) << seed;  // buckets offer fewer cuts, never others
    } else if (bucketed >= 0) {
      EXPECT_GE(bucketed, plain) << seed;
      EXPECT_LE(bucketed, plain + 40) << seed;
    } else {
      EXPECT_GT(plain, 300) << seed;  // a change so small that the coarser cuts miss it
    }
  }
}

TEST(Adwin, SignalsAtTheValueComputedByHand) {
  // 16 zeros, then k ones, delta 0.05: the cut between them has means 0 and 1, 1/m = 1/16 + 1/k,
  // variance 16 k / (n (n - 1)) for n = 16 + k. k = 14: ln(2 / delta') = 4.914, bound 0.582 + 0.439
  // = 1.021; k = 15: 4.922, 0.573 + 0.424 = 0.997, below the difference of 1.
  std::vector<double> stream(16, 0);
  stream.insert(stream.end(), 20, 1);
  EXPECT_EQ(first_signal(Adwin(options(0.05, 1)), stream), 15 + 15);
}

TEST(Adwin, KeepsTheWholeWindowWithoutAChange) {
  Adwin detector(options(0.002));
  for (int i = 0; i < 100000; ++i) {
    ASSERT_FALSE(detector.add(i % 2));
  }
  EXPECT_EQ(detector.width(), 100000);
  EXPECT_DOUBLE_EQ(detector.mean(), 0.5);
  // Rows of 2^0 … 2^15 or so, at most kMaxBuckets each.
  EXPECT_LE(detector.buckets(), Adwin::kMaxBuckets * 16);
  EXPECT_GE(detector.buckets(), 15U);
}

TEST(Adwin, DropsWhatLiesBeforeAChange) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Adwin detector(options(0.002));
    const auto signals = all_signals(detector, bernoulli_stream({{2000, 0.2}, {1000, 0.7}}, seed));
    const auto first =
        std::find_if(signals.begin(), signals.end(), [](int64_t i) { return i >= 2000; });
    ASSERT_NE(first, signals.end()) << seed;
    EXPECT_LT(*first, 2000 + 100) << seed;
    EXPECT_LE(detector.width(), 1000 + 100) << seed;
    EXPECT_GE(detector.width(), 700) << seed;
    EXPECT_NEAR(detector.mean(), 0.7, 0.06) << seed;
  }
}

TEST(Adwin, SeesADecreaseToo) {
  Adwin detector(options(0.002));
  EXPECT_FALSE(all_signals(detector, bernoulli_stream({{1000, 0.7}, {300, 0.2}}, 5)).empty());
}

TEST(Adwin, FollowsASlowChange) {
  Adwin detector(options(0.002));
  core::Rng rng(9);
  int signals = 0;
  for (int i = 0; i < 8000; ++i) {
    signals += detector.add(rng.bernoulli(0.1 + 0.8 * i / 8000)) ? 1 : 0;
  }
  EXPECT_GE(signals, 3);
  EXPECT_LT(detector.width(), 4000);
  EXPECT_GT(detector.mean(), 0.65);
}

TEST(Adwin, FalseAlarmsStayBelowDelta) {
  int64_t alarms = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Adwin detector(options(0.01));
    alarms +=
        static_cast<int64_t>(all_signals(detector, bernoulli_stream({{2500, 0.3}}, seed)).size());
  }
  EXPECT_LE(alarms, 1000 / 4);  // 100 000 values, 1000 allowed
}

TEST(Adwin, LargerDeltaIsFaster) {
  int64_t bold = 0;
  int64_t shy = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto stream = bernoulli_stream({{500, 0.2}, {1500, 0.45}}, seed);
    bold += first_signal(Adwin(options(0.05, 500)), stream);
    shy += first_signal(Adwin(options(1e-6, 500)), stream);
  }
  EXPECT_LT(bold + 20 * 20, shy);
}

TEST(Adwin, WaitsForItsLeastNumberOfValues) {
  Adwin detector(options(0.05, 200));
  const auto signals = all_signals(detector, bernoulli_stream({{50, 0.0}, {500, 1.0}}, 0));
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0], 199);
}

TEST(Adwin, ResetForgetsTheStream) {
  Adwin detector(options(0.002));
  for (int i = 0; i < 500; ++i) {
    detector.add(0);
  }
  detector.reset();
  EXPECT_EQ(detector.width(), 0);
  EXPECT_EQ(detector.buckets(), 0U);
  for (int i = 0; i < 500; ++i) {
    EXPECT_FALSE(detector.add(1));
  }
}

TEST(Adwin, RefusesBadValuesAndOptions) {
  Adwin detector(options(0.002));
  detector.add(1);
  EXPECT_THROW(detector.add(1.5), core::Error);
  EXPECT_THROW(detector.add(-0.5), core::Error);
  EXPECT_THROW(detector.add(std::nan("")), core::Error);
  EXPECT_EQ(detector.width(), 1);
  EXPECT_THROW(Adwin(options(0)), core::Error);
  EXPECT_THROW(Adwin(options(1)), core::Error);
  EXPECT_THROW(Adwin(options(0.1, 0)), core::Error);
}

}  // namespace
}  // namespace coppice::monitor
