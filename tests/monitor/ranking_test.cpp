#include "monitor/ranking.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "metric_reference.h"

namespace coppice::monitor {
namespace {

TEST(Auroc, AgreesWithScikitLearn) {
  EXPECT_NEAR(auroc(reference::kScore, reference::kPositive), reference::kAuroc, 1e-12);
  const auto each = one_vs_rest_auroc(reference::kProbabilities, reference::kTruth);
  ASSERT_EQ(each.size(), 5u);
  for (size_t c = 0; c < reference::kClassAuroc.size(); ++c) {
    EXPECT_NEAR(each[c], reference::kClassAuroc[c], 1e-12) << c;
  }
  EXPECT_TRUE(std::isnan(each[4])) << "the class never occurs";
  double mean = 0;
  for (const double one : reference::kClassAuroc) {
    mean += one / 4;
  }
  EXPECT_NEAR(mean_of_numbers(each), mean, 1e-12);
}

TEST(Auroc, CountsPairs) {
  const std::vector<uint8_t> positive{0, 1, 1, 0, 1};
  const std::vector<double> score{0.1, 0.4, 0.4, 0.4, 0.9};
  // Six pairs: the positives at 0.4 beat 0.1 and tie with 0.4, the one at 0.9 beats both.
  EXPECT_DOUBLE_EQ(auroc(score, positive), (2 * 1 + 2 * 0.5 + 2) / 6);
  const std::vector<double> same(5, 3);
  EXPECT_DOUBLE_EQ(auroc(same, positive), 0.5);
}

TEST(Auroc, IsUndefinedForOneKind) {
  const std::vector<double> score{1, 2};
  EXPECT_TRUE(std::isnan(auroc(score, std::vector<uint8_t>{1, 1})));
  EXPECT_TRUE(std::isnan(auroc(score, std::vector<uint8_t>{0, 0})));
  EXPECT_TRUE(std::isnan(auroc({}, {})));
  EXPECT_TRUE(std::isnan(average_precision(score, std::vector<uint8_t>{0, 0})));
  EXPECT_TRUE(std::isnan(mean_of_numbers({})));
  EXPECT_TRUE(roc_curve(score, std::vector<uint8_t>{1, 1}).empty());
}

TEST(AveragePrecision, AgreesWithScikitLearn) {
  EXPECT_NEAR(average_precision(reference::kScore, reference::kPositive),
              reference::kAveragePrecision,
              1e-12);
  for (size_t c = 0; c < reference::kClassAveragePrecision.size(); ++c) {
    std::vector<double> score;
    std::vector<uint8_t> own;
    for (size_t i = 0; i < reference::kTruth.size(); ++i) {
      score.push_back(reference::kProbabilities[i * 5 + c]);
      own.push_back(reference::kTruth[i] == static_cast<int64_t>(c) ? 1 : 0);
    }
    EXPECT_NEAR(average_precision(score, own), reference::kClassAveragePrecision[c], 1e-12) << c;
  }
}

TEST(RocCurve, HasTheCornersOfScikitLearnsAndTheArea) {
  const auto curve = roc_curve(reference::kScore, reference::kPositive);
  ASSERT_GE(curve.size(), 3u);
  EXPECT_LE(curve.size(), reference::kRocFpr.size());
  EXPECT_EQ(curve.front().false_positive_rate, 0);
  EXPECT_EQ(curve.front().true_positive_rate, 0);
  EXPECT_TRUE(std::isinf(curve.front().threshold));
  EXPECT_EQ(curve.back().false_positive_rate, 1);
  EXPECT_EQ(curve.back().true_positive_rate, 1);
  double area = 0;
  size_t at = 0;
  for (size_t i = 0; i < curve.size(); ++i) {
    while (at < reference::kRocFpr.size() &&
           (std::abs(reference::kRocFpr[at] - curve[i].false_positive_rate) > 1e-12 ||
            std::abs(reference::kRocTpr[at] - curve[i].true_positive_rate) > 1e-12)) {
      ++at;
    }
    EXPECT_LT(at, reference::kRocFpr.size()) << "corner " << i << " is none of scikit-learn's";
    if (i > 0) {
      area += (curve[i].false_positive_rate - curve[i - 1].false_positive_rate) *
              (curve[i].true_positive_rate + curve[i - 1].true_positive_rate) / 2;
    }
  }
  EXPECT_NEAR(area, reference::kAuroc, 1e-12);
}

TEST(RankingMetrics, RefuseWhatHasNoMeaning) {
  const std::vector<double> score{1, std::nan("")};
  EXPECT_THROW(auroc(score, std::vector<uint8_t>{0, 1}), core::Error);
  EXPECT_THROW(auroc(score, std::vector<uint8_t>{0}), core::Error);
  EXPECT_THROW(one_vs_rest_auroc(score, {}), core::Error);
  EXPECT_THROW(one_vs_rest_auroc(std::vector<double>{1, 2}, std::vector<int64_t>{2}), core::Error);
}

}  // namespace
}  // namespace coppice::monitor
