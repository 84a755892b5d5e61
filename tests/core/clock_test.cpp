#include "core/clock.h"

#include <gtest/gtest.h>

namespace coppice::core {
namespace {

TEST(Clock, WritesIso8601) {
  EXPECT_EQ(to_iso8601(from_millis(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_iso8601(from_millis(1772366400123)), "2026-03-01T12:00:00.123Z");
  EXPECT_EQ(to_iso8601(from_millis(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, MillisRoundTrip) {
  for (const int64_t millis : {int64_t{0}, int64_t{-5}, int64_t{1772366400123}}) {
    EXPECT_EQ(to_millis(from_millis(millis)), millis);
  }
}

TEST(Clock, VirtualTimeStandsUntilAdvanced) {
  VirtualClock clock(from_millis(1000));
  const Clock& base = clock;
  EXPECT_EQ(to_millis(base.now()), 1000);
  clock.advance(std::chrono::hours(24));
  EXPECT_EQ(to_millis(base.now()), 1000 + 86400000);
}

TEST(Clock, SystemTimeIsLaterThanThisTest) {
  EXPECT_GT(to_millis(SystemClock().now()), 1772366400000 - 86400000LL * 365);
}

TEST(Clock, StopwatchNeverRunsBackwards) {
  const Stopwatch watch;
  const double first = watch.seconds();
  EXPECT_GE(first, 0);
  EXPECT_GE(watch.seconds(), first);
}

}  // namespace
}  // namespace coppice::core
