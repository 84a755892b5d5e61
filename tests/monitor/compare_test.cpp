#include "monitor/compare.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"

namespace coppice::monitor {
namespace {

TEST(McNemar, AgreesWithTheBinomialTail) {
  EXPECT_DOUBLE_EQ(mcnemar_p_value(0, 0), 1);
  EXPECT_DOUBLE_EQ(mcnemar_p_value(1, 0), 1);
  EXPECT_NEAR(mcnemar_p_value(5, 0), 2.0 / 32, 1e-14);
  EXPECT_NEAR(mcnemar_p_value(10, 2), 2.0 * (1 + 12 + 66) / 4096, 1e-14);
}

TEST(McNemar, AgreesWithExactIntegersForLargeCounts) {
  // Computed with integers of arbitrary size.
  const auto expect_relative = [](double value, double exact) {
    EXPECT_NEAR(value / exact, 1, 1e-9);
  };
  expect_relative(mcnemar_p_value(40, 90), 1.3715068445175424e-05);
  expect_relative(mcnemar_p_value(300, 700), 1.7665678007950136e-37);
  expect_relative(mcnemar_p_value(9800, 10200), 0.004780889455902644);
  expect_relative(mcnemar_p_value(99900, 100500), 0.18087434946090594);
  expect_relative(mcnemar_p_value(0, 1000), std::ldexp(1.0, -999));
}

TEST(McNemar, IsSymmetricAndNeverLeavesItsRange) {
  for (int64_t b = 0; b < 60; ++b) {
    for (int64_t c = 0; c <= b; ++c) {
      const double p = mcnemar_p_value(b, c);
      EXPECT_EQ(p, mcnemar_p_value(c, b));
      EXPECT_GT(p, 0);
      EXPECT_LE(p, 1);
    }
  }
  EXPECT_EQ(mcnemar_p_value(500'000'000, 500'000'000), 1);
  EXPECT_EQ(mcnemar_p_value(0, 1'000'000'000), 0);  // 2^-999999999 is no double
  // Half a standard deviation of a billion: the normal tail 2 * (1 - Phi(0.5)), continuity aside.
  EXPECT_NEAR(mcnemar_p_value(500'000'000 - 7906, 500'000'000 + 7906), 0.6171, 1e-3);
}

TEST(McNemar, RefusesNegativeCounts) {
  EXPECT_THROW(mcnemar_p_value(-1, 0), core::Error);
  EXPECT_THROW(mcnemar_p_value(0, -1), core::Error);
}

TEST(ComparePaired, CountsFlipsBothWays) {
  const std::vector<int64_t> truth{0, 1, 2, 3, 4};
  const std::vector<int64_t> first{0, 1, 2, 0, 0};
  const std::vector<int64_t> second{0, 9, 9, 3, 1};
  const PairedComparison c = compare_paired(truth, first, second);
  EXPECT_EQ(c.samples, 5);
  EXPECT_EQ(c.first_only, 2);
  EXPECT_EQ(c.second_only, 1);
  EXPECT_DOUBLE_EQ(c.first_accuracy, 0.6);
  EXPECT_DOUBLE_EQ(c.second_accuracy, 0.4);
  EXPECT_DOUBLE_EQ(c.p_value, 1);  // 2 * (1 + 3) / 8
}

TEST(ComparePaired, TakesNoSamples) {
  const PairedComparison c = compare_paired({}, {}, {});
  EXPECT_EQ(c.samples, 0);
  EXPECT_EQ(c.first_accuracy, 0);
  EXPECT_EQ(c.p_value, 1);
}

TEST(ComparePaired, RefusesLengthsThatDiffer) {
  const std::vector<int64_t> one{1};
  EXPECT_THROW(compare_paired(one, one, {}), core::Error);
  EXPECT_THROW(compare_paired(one, {}, one), core::Error);
  EXPECT_THROW(compare_paired({}, one, one), core::Error);
}

/// Share of trials with p below 0.05 for models that are right with these chances, independently.
double rejections(double first, double second, int trials, uint64_t seed) {
  core::Rng rng(seed);
  int rejected = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const std::vector<int64_t> truth(300, 1);
    std::vector<int64_t> a;
    std::vector<int64_t> b;
    for (size_t i = 0; i < truth.size(); ++i) {
      a.push_back(rng.bernoulli(first) ? 1 : 0);
      b.push_back(rng.bernoulli(second) ? 1 : 0);
    }
    rejected += compare_paired(truth, a, b).p_value < 0.05 ? 1 : 0;
  }
  return static_cast<double>(rejected) / trials;
}

TEST(ComparePaired, RejectsEqualModelsRarelyAndUnequalOnesMostly) {
  const double level = rejections(0.85, 0.85, 2000, 1);
  EXPECT_LT(level, 0.055);
  EXPECT_GT(level, 0.015);  // exact, so below 0.05, but not useless
  EXPECT_GT(rejections(0.85, 0.7, 300, 2), 0.95);
}

}  // namespace
}  // namespace coppice::monitor
