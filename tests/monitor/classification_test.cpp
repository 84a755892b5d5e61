#include "monitor/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/error.h"
#include "metric_reference.h"

namespace coppice::monitor {
namespace {

constexpr double kClose = 1e-12;

Confusion reference_confusion() {
  Confusion confusion(reference::kClasses);
  for (size_t i = 0; i < reference::kTruth.size(); ++i) {
    const auto row =
        reference::kLogits.begin() + static_cast<std::ptrdiff_t>(i) * reference::kClasses;
    confusion.add(reference::kTruth[i], std::max_element(row, row + reference::kClasses) - row);
  }
  return confusion;
}

TEST(ClassScores, AgreeWithScikitLearn) {
  const Confusion confusion = reference_confusion();
  EXPECT_NEAR(confusion.accuracy(), reference::kAccuracy, kClose);
  const ClassScores scores = class_scores(confusion);
  ASSERT_EQ(scores.classes.size(), reference::kPrecision.size());
  for (size_t c = 0; c < scores.classes.size(); ++c) {
    EXPECT_NEAR(scores.classes[c].precision, reference::kPrecision[c], kClose) << c;
    EXPECT_NEAR(scores.classes[c].recall, reference::kRecall[c], kClose) << c;
    EXPECT_NEAR(scores.classes[c].f1, reference::kF1[c], kClose) << c;
    EXPECT_EQ(scores.classes[c].support, reference::kSupport[c]) << c;
  }
  for (const auto& [mean, wanted] : {std::pair(scores.macro, reference::kMacro),
                                     std::pair(scores.weighted, reference::kWeighted)}) {
    EXPECT_NEAR(mean.precision, wanted[0], kClose);
    EXPECT_NEAR(mean.recall, wanted[1], kClose);
    EXPECT_NEAR(mean.f1, wanted[2], kClose);
    EXPECT_EQ(mean.support, 60);
  }
}

TEST(ClassScores, LeaveOutAClassThatNobodyMeets) {
  Confusion confusion(3);
  confusion.add(0, 0);
  confusion.add(1, 0);
  const ClassScores scores = class_scores(confusion);
  EXPECT_EQ(scores.classes[2].support, 0);
  EXPECT_DOUBLE_EQ(scores.macro.recall, 0.5);  // of two classes, not three
  EXPECT_DOUBLE_EQ(scores.macro.f1, (2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(scores.weighted.precision, 0.25);
  EXPECT_EQ(class_scores(Confusion(2)).macro.f1, 0);
}

TEST(TopK, AgreesWithScikitLearn) {
  EXPECT_NEAR(top_k_accuracy(reference::kLogits, reference::kTruth, 1), reference::kTop1, kClose);
  EXPECT_NEAR(top_k_accuracy(reference::kLogits, reference::kTruth, 2), reference::kTop2, kClose);
  EXPECT_NEAR(top_k_accuracy(reference::kLogits, reference::kTruth, 3), reference::kTop3, kClose);
  EXPECT_EQ(top_k_accuracy(reference::kLogits, reference::kTruth, 5), 1);
  EXPECT_EQ(top_k_accuracy(reference::kLogits, reference::kTruth, 9), 1);
}

TEST(TopK, GivesTiesToTheLowerClass) {
  const std::vector<double> scores{1, 1, 1};
  const auto hit = [&](int64_t truth, int64_t k) {
    return top_k_accuracy(scores, std::vector<int64_t>{truth}, k);
  };
  EXPECT_EQ(hit(0, 1), 1);
  EXPECT_EQ(hit(1, 1), 0);
  EXPECT_EQ(hit(1, 2), 1);
  EXPECT_EQ(hit(2, 2), 0);
}

TEST(Softmax, AgreesWithScipyAndStaysFinite) {
  const auto probabilities = softmax(reference::kLogits, reference::kTruth);
  ASSERT_EQ(probabilities.size(), reference::kProbabilities.size());
  for (size_t i = 0; i < probabilities.size(); ++i) {
    EXPECT_NEAR(probabilities[i], reference::kProbabilities[i], kClose);
  }
  const std::vector<int64_t> truth{1};
  EXPECT_EQ(softmax(std::vector<double>{1e6, -1e6}, truth), (std::vector<double>{1, 0}));
  EXPECT_DOUBLE_EQ(negative_log_likelihood(std::vector<double>{1e6, -1e6}, truth), 2e6);
}

TEST(ProperScores, AgreeWithScikitLearn) {
  EXPECT_NEAR(
      negative_log_likelihood(reference::kLogits, reference::kTruth), reference::kLogLoss, kClose);
  EXPECT_NEAR(brier_score(reference::kProbabilities, reference::kTruth), reference::kBrier, kClose);
  // Two classes: twice the binary score.
  std::vector<double> two;
  std::vector<int64_t> truth;
  for (size_t i = 0; i < reference::kTruth.size(); ++i) {
    const double p = reference::kProbabilities[i * 5 + 1];
    two.insert(two.end(), {1 - p, p});
    truth.push_back(reference::kTruth[i] == 1 ? 1 : 0);
  }
  EXPECT_NEAR(brier_score(two, truth), 2 * reference::kBinaryBrier, kClose);
}

TEST(ClassificationMetrics, RefuseWhatHasNoMeaning) {
  const std::vector<double> rows{0.5, 0.5};
  const std::vector<int64_t> one{0};
  const std::vector<double> bad{0.5, std::nan("")};
  EXPECT_THROW(top_k_accuracy(rows, {}, 1), core::Error);
  EXPECT_THROW(top_k_accuracy({}, one, 1), core::Error);
  EXPECT_THROW(top_k_accuracy(rows, one, 0), core::Error);
  EXPECT_THROW(brier_score(rows, std::vector<int64_t>{2}), core::Error);
  EXPECT_THROW(brier_score(rows, std::vector<int64_t>{-1}), core::Error);
  EXPECT_THROW(brier_score(rows, std::vector<int64_t>{0, 1, 0}), core::Error);
  EXPECT_THROW(softmax(bad, one), core::Error);
}

}  // namespace
}  // namespace coppice::monitor
