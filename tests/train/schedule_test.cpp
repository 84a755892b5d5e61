#include "train/schedule.h"

#include <gtest/gtest.h>

namespace coppice::train {

namespace {

recipe::ScheduleOptions options(const std::string& name, double warmup = 0) {
  recipe::ScheduleOptions result;
  result.name = name;
  result.warmup_epochs = warmup;
  result.final_share = 0.1;
  result.step_epochs = 3;
  result.step_factor = 0.5;
  return result;
}

TEST(Schedule, ConstantStaysAtThePeak) {
  EXPECT_EQ(learning_rate_share(options("constant"), 0, 10), 1);
  EXPECT_EQ(learning_rate_share(options("constant"), 9.9, 10), 1);
}

TEST(Schedule, StepDropsEveryFewEpochs) {
  EXPECT_EQ(learning_rate_share(options("step"), 2.99, 10), 1);
  EXPECT_EQ(learning_rate_share(options("step"), 3, 10), 0.5);
  EXPECT_EQ(learning_rate_share(options("step"), 6.5, 10), 0.25);
}

TEST(Schedule, CosineFallsToTheFinalShare) {
  EXPECT_DOUBLE_EQ(learning_rate_share(options("cosine"), 0, 10), 1);
  EXPECT_DOUBLE_EQ(learning_rate_share(options("cosine"), 5, 10), 0.55);
  EXPECT_DOUBLE_EQ(learning_rate_share(options("cosine"), 10, 10), 0.1);
}

TEST(Schedule, WarmUpRisesLinearlyFromZeroToThePeak) {
  for (const std::string name : {"constant", "step", "cosine"}) {
    EXPECT_EQ(learning_rate_share(options(name, 2), 0, 10), 0) << name;
    EXPECT_EQ(learning_rate_share(options(name, 2), 0.5, 10), 0.25) << name;
    EXPECT_EQ(learning_rate_share(options(name, 2), 2, 10), 1) << name;
  }
  EXPECT_DOUBLE_EQ(learning_rate_share(options("cosine", 2), 6, 10), 0.55);
}

TEST(Schedule, OneCycleRisesAndFalls) {
  EXPECT_NEAR(learning_rate_share(options("one_cycle"), 0, 10), 0.04, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate_share(options("one_cycle"), 1.5, 10), 0.52);
  EXPECT_DOUBLE_EQ(learning_rate_share(options("one_cycle"), 3, 10), 1);
  EXPECT_DOUBLE_EQ(learning_rate_share(options("one_cycle"), 6.5, 10), 0.55);
  EXPECT_DOUBLE_EQ(learning_rate_share(options("one_cycle"), 10, 10), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_share(options("one_cycle", 1), 1, 10), 1);
}

TEST(Schedule, SurvivesAWarmUpAsLongAsTheRun) {
  for (const std::string name : {"cosine", "one_cycle"}) {
    EXPECT_EQ(learning_rate_share(options(name, 3), 3, 3), 1) << name;
  }
}

}  // namespace

}  // namespace coppice::train
