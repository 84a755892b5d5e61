#include "monitor/continual.h"

#include <limits>

#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice::monitor {
namespace {

using Matrix = std::vector<std::vector<double>>;

const Matrix kThree{{0.9, 0.1, 0.2}, {0.95, 0.8, 0.3}, {0.6, 0.7, 0.85}};

TEST(Continual, AveragesTheLastRow) {
  EXPECT_DOUBLE_EQ(average_accuracy(kThree), 2.15 / 3);
}

TEST(Continual, ComparesTheEndWithTheMomentOfLearning) {
  EXPECT_DOUBLE_EQ(backward_transfer(kThree), ((0.6 - 0.9) + (0.7 - 0.8)) / 2);
}

TEST(Continual, ForgetsFromTheBestEarlierAccuracy) {
  EXPECT_DOUBLE_EQ(forgetting(kThree), ((0.95 - 0.6) + (0.8 - 0.7)) / 2);
}

TEST(Continual, LearningBackwardIsNegativeForgetting) {
  const Matrix better{{0.5, 0.1}, {0.7, 0.9}};
  EXPECT_DOUBLE_EQ(backward_transfer(better), 0.2);
  EXPECT_DOUBLE_EQ(forgetting(better), -0.2);
}

TEST(Continual, OneExperienceTransfersNothing) {
  EXPECT_EQ(average_accuracy({{0.4}}), 0.4);
  EXPECT_EQ(backward_transfer({{0.4}}), 0);
  EXPECT_EQ(forgetting({{0.4}}), 0);
}

TEST(Continual, RefusesAMatrixThatIsNotSquareOrNotFinite) {
  for (const auto metric : {average_accuracy, backward_transfer, forgetting}) {
    EXPECT_THROW(metric({}), core::Error);
    EXPECT_THROW(metric({{0.1, 0.2}}), core::Error);
    EXPECT_THROW(metric({{0.1, 0.2}, {0.1}}), core::Error);
    EXPECT_THROW(metric({{std::numeric_limits<double>::quiet_NaN()}}), core::Error);
  }
}

}  // namespace
}  // namespace coppice::monitor
