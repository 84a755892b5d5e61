#include "compress/prune_schedule.h"

#include <gmock/gmock.h>

#include "compress/prune_options.h"
#include "core/error.h"

namespace coppice::compress {

namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(PruneSchedule, LinearFallsByEqualSteps) {
  EXPECT_THAT(
      ratios({.steps = 4, .curve = "linear"}, 0.2),
      ElementsAre(DoubleNear(0.8, 1e-12), DoubleNear(0.6, 1e-12), DoubleNear(0.4, 1e-12), 0.2));
}

/// 1 - 0.8 x (1 - (1 - t / 4)^3): (3/4)^3 = 27/64, (2/4)^3 = 8/64, (1/4)^3 = 1/64.
TEST(PruneSchedule, PolynomialCutsMostAtFirst) {
  EXPECT_THAT(ratios({.steps = 4}, 0.2),
              ElementsAre(DoubleNear(1 - 0.8 * 37 / 64, 1e-12),
                          DoubleNear(1 - 0.8 * 56 / 64, 1e-12),
                          DoubleNear(1 - 0.8 * 63 / 64, 1e-12),
                          0.2));
}

TEST(PruneSchedule, OneStepIsTheTargetItself) {
  EXPECT_THAT(ratios({}, 0.37), ElementsAre(0.37));
  const auto steps = targets_of({.macs_ratio = 0.3});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(target_of(steps[0]).ratio, 0.3);
  EXPECT_EQ(target_of(steps[0]).metric, "macs");
}

TEST(PruneSchedule, StepsTowardsAValueEndAtIt) {
  const PruneOptions options{.target = {.metric = "latency", .value = 200},
                             .schedule = {.steps = 2, .curve = "linear"}};
  const auto steps = targets_of(options, 1000);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_NEAR(steps[0].target.ratio, 0.6, 1e-12);
  EXPECT_EQ(steps[0].target.value, 0);
  EXPECT_EQ(steps[1].target.value, 200);
  EXPECT_EQ(steps[1].target.ratio, 0);
  EXPECT_EQ(steps[1].schedule.steps, 1);
  EXPECT_THROW(targets_of(options), core::Error);
  EXPECT_THROW(targets_of(options, 200), core::Error) << "met before the first step";
}

}  // namespace

}  // namespace coppice::compress
