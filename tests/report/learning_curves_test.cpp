#include "report/learning_curves.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/figure.h"
#include "report/xml_check.h"

namespace coppice::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<MetricsRow> five_epochs() {
  const std::vector<double> loss{2, 1, 0.5, 0.4, 0.3};
  const std::vector<double> validation{2.1, 1.2, 0.9, 1.0, 1.1};
  const std::vector<double> accuracy{0.3, 0.6, 0.7, 0.75, 0.75};
  std::vector<MetricsRow> rows;
  for (size_t i = 0; i < loss.size(); ++i) {
    rows.push_back({static_cast<int64_t>(i) + 1,
                    {{"loss", loss[i]},
                     {"validation_loss", validation[i]},
                     {"validation_accuracy", accuracy[i]},
                     {"validation_recall.bag", 0.5},
                     {"learning_rate", 0.1},
                     {"seconds", 3}}});
  }
  return rows;
}

TEST(LearningCurves, MarkTheBestEpochOfEachMetric) {
  const auto charts = learning_curves(five_epochs());
  ASSERT_EQ(charts.size(), 3u);  // loss, accuracy, learning rate
  EXPECT_THAT(charts[0], HasSubstr("best validation: 0.9 (epoch 3)"));
  EXPECT_THAT(charts[0], HasSubstr("training: 0.3 at 5"));
  EXPECT_THAT(charts[0], HasSubstr("validation: 1.1 at 5"));
  EXPECT_THAT(charts[1], HasSubstr("best validation: 75.00 % (epoch 4)")) << "the first of equals";
  EXPECT_THAT(charts[1], Not(HasSubstr("training")));
  EXPECT_THAT(charts[2], HasSubstr("learning rate: 0.1 at 1"));
  for (const auto& chart : charts) {
    EXPECT_EQ(xml_problem(chart), "");
  }
}

TEST(LearningCurves, WithoutValidationTheTrainingDataDecides) {
  const auto best = best_epoch({{1, {{"loss", 3}}}, {2, {{"loss", 2}}}}, "loss");
  ASSERT_TRUE(best);
  EXPECT_EQ(best->metric, "loss");
  EXPECT_EQ(best->epoch, 2);
  EXPECT_FALSE(best_epoch({{1, {{"loss", std::numeric_limits<double>::quiet_NaN()}}}}, "loss"));
  EXPECT_FALSE(best_epoch({}, "loss"));
  EXPECT_THAT(learning_curves({}).front(), HasSubstr("no data"));
}

TEST(Figure, KnowsWhatIsBetterAndHowToSayIt) {
  for (const char* name :
       {"accuracy", "top5_accuracy", "validation_accuracy", "macro_f1", "r2", "auroc.bag"}) {
    EXPECT_TRUE(higher_is_better(name)) << name;
  }
  for (const char* name : {"loss", "rmse", "ece", "macs", "seconds", "false_alarm_rate", "bytes"}) {
    EXPECT_FALSE(higher_is_better(name)) << name;
  }
  EXPECT_EQ(format_figure("float_accuracy", 0.91237), "91.24 %");
  EXPECT_EQ(format_figure("macs", 1234567), "1,234,567");
  EXPECT_EQ(format_figure("epochs", 12), "12");
  EXPECT_EQ(format_figure("flips", -123), "-123");
  EXPECT_EQ(format_figure("loss", 0.123456), "0.1235");
  EXPECT_EQ(format_figure("learning_rate", 0.05), "0.05");
  EXPECT_EQ(format_figure("loss", std::nan("")), "–");
  EXPECT_EQ(format_difference("accuracy", -0.0123), "-1.23");
  EXPECT_EQ(format_difference("rmse", 0.5), "+0.5");
}

}  // namespace
}  // namespace coppice::report
