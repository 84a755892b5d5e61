#include "train/schedule.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "schedule_reference.h"
#include "train/plateau.h"

namespace coppice::train {

namespace {

constexpr double kEpochs = std::tuple_size_v<reference::Course>;

struct ScheduleCase {
  std::string label;
  recipe::ScheduleOptions options;
  reference::Course expected;
};

ScheduleCase schedule_case(std::string label,
                           std::string name,
                           const reference::Course& expected,
                           double warmup = 0) {
  recipe::ScheduleOptions o;
  o.name = std::move(name);
  o.warmup_epochs = warmup;
  o.warmup_start = warmup > 0 ? 0.1 : 0;
  o.final_share = warmup > 0 ? 0.05 : 0.1;
  o.step_epochs = 6;
  o.step_factor = o.name == "multi_step" ? 0.2 : 0.5;
  o.milestones = warmup > 0 ? std::vector<int64_t>{3, 10} : std::vector<int64_t>{3, 10, 11};
  return {std::move(label), o, expected};
}

class ScheduleReference : public ::testing::TestWithParam<ScheduleCase> {};

TEST_P(ScheduleReference, FollowsTorchEpochByEpoch) {
  for (size_t i = 0; i < GetParam().expected.size(); ++i) {
    EXPECT_NEAR(learning_rate_share(GetParam().options, static_cast<double>(i), kEpochs),
                GetParam().expected[i],
                1e-9)
        << "epoch " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Torch,
    ScheduleReference,
    ::testing::Values(schedule_case("Constant", "constant", reference::kConstant),
                      schedule_case("Step", "step", reference::kStep),
                      schedule_case("MultiStep", "multi_step", reference::kMultiStep),
                      schedule_case("Cosine", "cosine", reference::kCosine),
                      schedule_case("WarmConstant", "constant", reference::kWarmConstant, 5),
                      schedule_case("WarmPlateau", "plateau", reference::kWarmConstant, 5),
                      schedule_case("WarmStep", "step", reference::kWarmStep, 5),
                      schedule_case("WarmMultiStep", "multi_step", reference::kWarmMultiStep, 5),
                      schedule_case("WarmCosine", "cosine", reference::kWarmCosine, 5)),
    [](const auto& c) { return c.param.label; });

TEST(Schedule, OneCycleFollowsTorch) {
  // Torch's last step is the end of the run, and its peak lies one step before 30 % of them.
  recipe::ScheduleOptions o;
  o.name = "one_cycle";
  o.warmup_epochs = 0.3 * kEpochs - 1;
  o.final_share = 0.01;
  o.cycle_momentum = true;
  for (size_t i = 0; i < reference::kOneCycle.size(); ++i) {
    const auto at = static_cast<double>(i);
    EXPECT_NEAR(learning_rate_share(o, at, kEpochs - 1), reference::kOneCycle[i], 1e-9) << i;
    EXPECT_NEAR(
        scheduled_momentum(o, at, kEpochs - 1).value(), reference::kOneCycleMomentum[i], 1e-9)
        << i;
  }
}

TEST(Schedule, OneCycleRisesForThirtyPercentUnlessTold) {
  recipe::ScheduleOptions o;
  o.name = "one_cycle";
  EXPECT_LT(learning_rate_share(o, 2.9, 10), 1);
  EXPECT_DOUBLE_EQ(learning_rate_share(o, 3, 10), 1);
  EXPECT_LT(learning_rate_share(o, 3.1, 10), 1);
  EXPECT_EQ(scheduled_momentum(o, 3, 10), std::nullopt);
}

TEST(Schedule, RisesFromZeroUnlessTold) {
  recipe::ScheduleOptions o;
  o.name = "constant";
  o.warmup_epochs = 2;
  EXPECT_EQ(learning_rate_share(o, 0, 10), 0);
  EXPECT_EQ(learning_rate_share(o, 0.5, 10), 0.25);
}

TEST(Schedule, SurvivesAWarmUpAsLongAsTheRun) {
  for (const std::string& name : schedules().names()) {
    recipe::ScheduleOptions o;
    o.name = name;
    o.warmup_epochs = 3;
    EXPECT_EQ(learning_rate_share(o, 3, 3), 1) << name;
  }
}

TEST(Schedule, AnUnknownNameIsRefused) {
  recipe::ScheduleOptions o;
  o.name = "cosin";
  EXPECT_THROW(learning_rate_share(o, 0, 1), core::Error);
}

void expect_plateau(const recipe::PlateauOptions& options, const reference::Course& expected) {
  PlateauState state;
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(state.share, expected[i], 1e-12) << "epoch " << i;
    state = after_epoch(state, reference::kLosses[i], options);
  }
}

TEST(Plateau, DropsWhenTorchDoes) {
  expect_plateau({.patience = 2, .factor = 0.1}, reference::kPlateauPatient);
  expect_plateau({.patience = 0, .factor = 0.5, .threshold = 0.1}, reference::kPlateauStrict);
  expect_plateau({.patience = 1, .factor = 0.3, .cooldown = 2}, reference::kPlateauCooldown);
  expect_plateau({.patience = 0, .factor = 0.1, .floor = 0.02}, reference::kPlateauFloor);
}

TEST(Plateau, TheFirstLossImprovesWhateverTheThreshold) {
  EXPECT_EQ(after_epoch({}, 3, {.threshold = 1}).best, 3);
}

}  // namespace

}  // namespace coppice::train
