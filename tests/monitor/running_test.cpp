#include "monitor/running.h"

#include <vector>

#include <gtest/gtest.h>

#include "core/rng.h"

namespace coppice::monitor {
namespace {

TEST(RunningStatistics, KnowsMeanAndUnbiasedVariance) {
  RunningStatistics s;
  EXPECT_EQ(s.count(), 0);
  EXPECT_EQ(s.mean(), 0);
  EXPECT_EQ(s.variance(), 0);
  s.add(2);
  EXPECT_EQ(s.mean(), 2);
  EXPECT_EQ(s.variance(), 0);
  for (const double x : {4, 4, 4, 5, 5, 7, 9}) {
    s.add(x);
  }
  EXPECT_EQ(s.count(), 8);
  EXPECT_DOUBLE_EQ(s.mean(), 5);
  EXPECT_DOUBLE_EQ(s.variance(), 32.0 / 7);
}

TEST(RunningStatistics, KeepsASmallVarianceBesideALargeMean) {
  RunningStatistics s;
  for (int i = 0; i < 1000; ++i) {
    s.add(1e9 + (i % 2 == 0 ? -1 : 1));
  }
  EXPECT_NEAR(s.variance(), 1000.0 / 999, 1e-6);
}

TEST(RunningStatistics, MergesAsIfAddedOneByOne) {
  core::Rng rng(7);
  for (const int cut : {0, 1, 37, 99, 100}) {
    RunningStatistics all;
    RunningStatistics left;
    RunningStatistics right;
    for (int i = 0; i < 100; ++i) {
      const double x = rng.normal() * 3 + i;
      all.add(x);
      (i < cut ? left : right).add(x);
    }
    left.merge(right);
    EXPECT_EQ(left.count(), 100);
    EXPECT_NEAR(left.mean(), all.mean(), 1e-12);
    EXPECT_NEAR(left.variance(), all.variance(), 1e-9);
  }
}

}  // namespace
}  // namespace coppice::monitor
