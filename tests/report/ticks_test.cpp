#include "report/ticks.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::report {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(Ticks, AreNiceNumbers) {
  EXPECT_THAT(nice_ticks(0, 1, 5).values,
              ElementsAre(DoubleEq(0),
                          DoubleEq(0.2),
                          DoubleEq(0.4),
                          ::testing::DoubleNear(0.6, 1e-12),
                          DoubleEq(0.8),
                          DoubleEq(1)));
  EXPECT_THAT(nice_ticks(83, 91, 5).values, ElementsAre(84, 86, 88, 90));
  EXPECT_THAT(nice_ticks(-7, 12, 4).values, ElementsAre(-5, 0, 5, 10));
  EXPECT_THAT(nice_ticks(0, 3, 10, true).values, ElementsAre(0, 1, 2, 3));
}

TEST(Ticks, StayInsideAndAscendOverManyRanges) {
  for (double low = -1000; low <= 1000; low += 137.3) {
    for (double span = 1e-6; span < 1e7; span *= 7.7) {
      const Ticks ticks = nice_ticks(low, low + span, 5);
      ASSERT_GE(ticks.values.size(), 2u) << low << " " << span;
      ASSERT_LE(ticks.values.size(), 12u);
      EXPECT_GE(ticks.values.front(), low - 1e-6 * span);
      EXPECT_LE(ticks.values.back(), low + span * (1 + 1e-6));
      for (size_t i = 1; i < ticks.values.size(); ++i) {
        EXPECT_NEAR(ticks.values[i] - ticks.values[i - 1], ticks.step, 1e-6 * ticks.step);
      }
    }
  }
}

TEST(Ticks, OfAPointExist) {
  EXPECT_FALSE(nice_ticks(0, 0, 5).values.empty());
  EXPECT_TRUE(std::isfinite(nice_ticks(5, 5, 5).step));
}

TEST(Ticks, AreWrittenWithTheDecimalsTheyNeed) {
  EXPECT_EQ(format_tick(0.6000000001, 0.2), "0.6");
  EXPECT_EQ(format_tick(0, 0.2), "0.0");
  EXPECT_EQ(format_tick(0.25, 0.05), "0.25");
  EXPECT_EQ(format_tick(12000, 2000), "12,000");
  EXPECT_EQ(format_tick(-1234567.0, 1), "-1.234567M");
  EXPECT_EQ(format_tick(1.5e6, 5e5), "1.5M");
  EXPECT_EQ(format_tick(2e9, 1e9), "2G");
  EXPECT_EQ(format_tick(2e-6, 1e-6), "2e-06");
  EXPECT_EQ(format_tick(0, 1e-6), "0");
}

}  // namespace
}  // namespace coppice::report
