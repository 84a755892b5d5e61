#include "monitor/anomaly.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "metric_reference.h"

namespace coppice::monitor {
namespace {

TEST(Quantile, AgreesWithNumpy) {
  for (size_t i = 0; i < reference::kQuantileShares.size(); ++i) {
    EXPECT_NEAR(
        quantile(reference::kScore, reference::kQuantileShares[i]), reference::kQuantiles[i], 1e-12)
        << reference::kQuantileShares[i];
  }
  EXPECT_EQ(quantile(std::vector<double>{7}, 0.3), 7);
}

TEST(Anomaly, AgreesWithScikitLearnAtAValidationQuantile) {
  std::vector<double> errors;
  std::vector<double> normal;
  for (size_t i = 0; i < reference::kScore.size(); ++i) {
    errors.push_back(std::abs(reference::kScore[i]));
    if (reference::kPositive[i] == 0) {
      normal.push_back(errors.back());
    }
  }
  const double threshold = quantile(normal, 0.9);
  EXPECT_NEAR(threshold, reference::kThreshold, 1e-12);
  const AnomalyScore score = anomaly_score(errors, reference::kPositive, threshold);
  EXPECT_NEAR(score.auroc, reference::kAnomalyAuroc, 1e-12);
  EXPECT_NEAR(score.precision, reference::kAnomalyPrecision, 1e-12);
  EXPECT_NEAR(score.recall, reference::kAnomalyRecall, 1e-12);
  EXPECT_NEAR(score.f1, reference::kAnomalyF1, 1e-12);
  EXPECT_EQ(score.normal + score.anomalies, 60);
  EXPECT_DOUBLE_EQ(score.false_alarm_rate,
                   static_cast<double>(score.false_alarms) / static_cast<double>(score.normal));
}

TEST(Anomaly, OnTheThresholdIsNormal) {
  const std::vector<double> errors{1, 2, 3};
  const std::vector<uint8_t> anomalous{0, 1, 1};
  EXPECT_EQ(anomaly_score(errors, anomalous, 2).hits, 1);
  EXPECT_EQ(anomaly_score(errors, anomalous, 1.9).f1, 1);
  const AnomalyScore nothing = anomaly_score(errors, anomalous, 9);
  EXPECT_EQ(nothing.precision, 0);
  EXPECT_EQ(nothing.f1, 0);
  EXPECT_EQ(nothing.auroc, 1) << "the ranking does not know the threshold";
  EXPECT_TRUE(std::isnan(anomaly_score(errors, std::vector<uint8_t>{0, 0, 0}, 2).auroc));
}

TEST(ReconstructionErrors, AreMeanSquaresPerSample) {
  const std::vector<float> truth{1, 2, 3, 4};
  const std::vector<float> made{1, 0, 3, 5};
  EXPECT_EQ(reconstruction_errors(truth, made, 2), (std::vector<double>{2, 0.5}));
  EXPECT_TRUE(reconstruction_errors({}, {}, 0).empty());
  EXPECT_THROW(reconstruction_errors(truth, made, 3), core::Error);
  EXPECT_THROW(reconstruction_errors(truth, std::vector<float>{1}, 2), core::Error);
  EXPECT_THROW(reconstruction_errors(truth, made, 0), core::Error);
}

TEST(AnomalyMetrics, RefuseWhatHasNoMeaning) {
  EXPECT_THROW(quantile({}, 0.5), core::Error);
  EXPECT_THROW(quantile(std::vector<double>{1}, 1.1), core::Error);
  EXPECT_THROW(quantile(std::vector<double>{1}, std::nan("")), core::Error);
  EXPECT_THROW(quantile(std::vector<double>{1, std::nan("")}, 0.5), core::Error);
  EXPECT_THROW(anomaly_score(std::vector<double>{1}, {}, 0), core::Error);
}

}  // namespace
}  // namespace coppice::monitor
