#include "train/early_stopping.h"

#include <limits>

#include <gtest/gtest.h>

namespace coppice::train {

namespace {

/// Epochs that a run with these losses takes.
int64_t epochs_until_stop(const std::vector<double>& losses,
                          const recipe::EarlyStoppingOptions& options) {
  EarlyStoppingState state;
  int64_t epochs = 0;
  for (const double loss : losses) {
    ++epochs;
    state = after_epoch(state, loss, options);
    if (should_stop(state, options)) {
      break;
    }
  }
  return epochs;
}

TEST(EarlyStopping, EndsAfterPatienceEpochsWithoutImprovement) {
  EXPECT_EQ(epochs_until_stop({3, 2, 2.5, 2.5, 1, 1.5, 1.5, 1.5, 0}, {.patience = 3}), 8);
  EXPECT_EQ(epochs_until_stop({3, 2, 2, 1}, {.patience = 1}), 3);
}

TEST(EarlyStopping, AnImprovementMustExceedMinDelta) {
  EXPECT_EQ(epochs_until_stop({3, 2.9, 2.8, 2.7}, {.patience = 2, .min_delta = 0.5}), 3);
  EXPECT_EQ(epochs_until_stop({3, 2.9, 2.4, 2.3}, {.patience = 2, .min_delta = 0.5}), 4);
}

TEST(EarlyStopping, NoPatienceNeverStops) {
  EXPECT_EQ(epochs_until_stop({1, 2, 3, 4, 5}, {}), 5);
}

TEST(EarlyStopping, WhatIsNoNumberDoesNotImprove) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(epochs_until_stop({nan, nan, 1}, {.patience = 2}), 2);
}

}  // namespace

}  // namespace coppice::train
