#include "loop/reports.h"

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "loop/page_check.h"
#include "report/metrics_log.h"

namespace coppice::loop {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

DayRow day(int64_t number, const std::string& phase, double frozen, double loop, uint64_t release) {
  DayRow row;
  row.day = number;
  row.phase = phase;
  row.frozen_accuracy = frozen;
  row.loop_accuracy = loop;
  row.stream_accuracy = loop - 0.01;
  row.estimated_accuracy = std::numeric_limits<double>::quiet_NaN();
  row.inferred = 100;
  row.uploaded = 10 + number;
  row.uploaded_bytes = 1000 * number;
  row.release = release;
  return row;
}

LoopResult sample() {
  LoopResult result;
  result.days = {day(1, "clean", 0.9, 0.9, 1), day(2, "noise & rain", 0.512, 0.834, 3)};
  result.days[1].events = {"release 3 promoted to all devices"};
  result.figures = {{"loop_gain_points", 32.2},
                    {"last_day_accuracy", 0.834},
                    {"uploaded_share", 0.115},
                    {"student_bytes_ratio", 0.1},
                    {"student_macs_ratio", 0.4},
                    {"samples_lost", 0},
                    {"samples_duplicated", 0},
                    {"wall_seconds", 12.5}};
  result.class_names = {"cat", "dog"};
  result.confusion_before = {{5, 5}, {4, 6}};
  result.confusion_after = {{9, 1}, {2, 8}};
  result.times = {{"teacher", 12.34, false}, {"student", 0.01, true}};
  return result;
}

class Reports : public ::testing::Test {
 protected:
  core::TemporaryFolder folder_;
};

TEST_F(Reports, TheTableHasARowPerDay) {
  const std::string table = day_table(sample());
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4) << table;
  EXPECT_THAT(table, ContainsRegex("day +drift +frozen +loop +stream +uploaded +bytes +release"));
  EXPECT_THAT(table, ContainsRegex("1 +clean +90.0 % +90.0 % +89.0 % +11 +1000 +1"));
  EXPECT_THAT(table, ContainsRegex("2 +noise & rain +51.2 % +83.4 % +82.4 % +12 +2000 +3"));
}

TEST_F(Reports, ThePageShowsDaysReleasesAndConfusionWithoutTheNetwork) {
  write_report(sample(), "Closed loop: sample", "name: sample\n", folder_.path() / "report.html");
  const std::string page = core::read_text(folder_.path() / "report.html");
  for (const char* part : {"Closed loop: sample",
                           "frozen first model: 51.2 at 2",
                           "noise &amp; rain",
                           ">release 3<",
                           "release 3 promoted to all devices",
                           "1 / 10.0",
                           "+32.2 points",
                           "found finished",
                           "dog taken for cat: 20.0 % (2)",
                           "name: sample"}) {
    testing::expect_on_page(page, part);
  }
  testing::expect_stands_alone(page);
  EXPECT_EQ(page.find("nan at"), std::string::npos) << "no estimate, no point";
}

TEST_F(Reports, ResultsAreReadByProgramsToo) {
  write_results(sample(), folder_.path());
  write_results(sample(), folder_.path());  // a run that was resumed writes them anew
  const auto rows = report::read_metrics(folder_.path() / "metrics.jsonl");
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[1].step, 2);
  EXPECT_EQ(rows[1].values.at("loop_accuracy"), 0.834);
  EXPECT_EQ(rows[1].values.at("uploaded"), 12);
  EXPECT_FALSE(rows[1].values.contains("estimated_accuracy")) << "no audits, no estimate";
  EXPECT_EQ(report::read_figures(folder_.path() / "summary.json"), sample().figures);
  EXPECT_THAT(core::read_text(folder_.path() / "summary.json"), HasSubstr("noise & rain"));
}

}  // namespace
}  // namespace coppice::loop
