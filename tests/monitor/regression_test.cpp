#include "monitor/regression.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "metric_reference.h"

namespace coppice::monitor {
namespace {

TEST(Regression, AgreesWithScikitLearn) {
  Regression regression(reference::kOutputs);
  regression.add(reference::kValues, reference::kPredicted);
  EXPECT_EQ(regression.samples(), 60);
  for (int64_t o = 0; o < reference::kOutputs; ++o) {
    const auto at = static_cast<size_t>(o);
    const RegressionScore score = regression.score(o);
    EXPECT_NEAR(score.mae, reference::kMae[at], 1e-12 * reference::kMae[at]);
    EXPECT_NEAR(score.rmse, reference::kRmse[at], 1e-12 * reference::kRmse[at]);
    EXPECT_NEAR(score.r2, reference::kR2[at], 1e-12);
  }
  const RegressionScore mean = regression.mean();
  EXPECT_NEAR(mean.mae, reference::kMeanMae, 1e-11);
  EXPECT_NEAR(mean.rmse, reference::kMeanRmse, 1e-11);
  EXPECT_NEAR(mean.r2, reference::kMeanR2, 1e-12);
}

TEST(Regression, DoesNotDependOnHowSamplesArrive) {
  Regression whole(2);
  Regression parts(2);
  const std::vector<double> truth{1e4 + 1, 2, 1e4 + 2, 3, 1e4 + 4, 5};
  const std::vector<double> predicted{1e4 + 1, 2, 1e4 + 3, 3, 1e4 + 3, 4};
  whole.add(truth, predicted);
  for (size_t i = 0; i < truth.size(); i += 2) {
    parts.add(std::span(truth).subspan(i, 2), std::span(predicted).subspan(i, 2));
  }
  EXPECT_EQ(whole.score(0).r2, parts.score(0).r2);
  // By hand: errors 0, 1, -1 around truths whose population variance is 14/9.
  EXPECT_NEAR(whole.score(0).r2, 1 - (2.0 / 3) / (14.0 / 9), 1e-10);
  EXPECT_NEAR(whole.score(0).bias, 0, 1e-11);
  EXPECT_NEAR(whole.score(1).bias, -1.0 / 3, 1e-12);
}

TEST(Regression, AConstantTruthHasNoVarianceToExplain) {
  Regression exact;
  exact.add(std::vector<double>{4, 4}, std::vector<double>{4, 4});
  EXPECT_EQ(exact.score(0).r2, 1);
  Regression off;
  off.add(std::vector<double>{4, 4}, std::vector<double>{4, 5});
  EXPECT_EQ(off.score(0).r2, 0);
  EXPECT_EQ(Regression().mean().r2, 0);
}

TEST(Regression, RefusesWhatHasNoMeaning) {
  EXPECT_THROW(Regression(0), core::Error);
  Regression regression(2);
  const std::vector<double> two{1, 2};
  EXPECT_THROW(regression.add(two, std::vector<double>{1}), core::Error);
  EXPECT_THROW(regression.add(std::vector<double>{1, 2, 3}, std::vector<double>{1, 2, 3}),
               core::Error);
  EXPECT_THROW(regression.add(two, std::vector<double>{1, std::numeric_limits<double>::infinity()}),
               core::Error);
  EXPECT_EQ(regression.samples(), 0) << "nothing of a refused batch is counted";
  EXPECT_THROW(regression.score(2), core::Error);
}

}  // namespace
}  // namespace coppice::monitor
