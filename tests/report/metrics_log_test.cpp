#include "report/metrics_log.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error_of.h"
#include "core/files.h"

namespace coppice::report {
namespace {

using core::Error;
using core::ErrorKind;
using core::test::error_of;
using ::testing::HasSubstr;

class MetricsTest : public ::testing::Test {
 protected:
  core::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "metrics.jsonl";
};

TEST_F(MetricsTest, RowsComeBackExactly) {
  {
    MetricsLog log(file_);
    log.write(1, {{"loss", 0.1 + 0.2}, {"accuracy \"x\"", 1e-300}});
    log.write(int64_t{1} << 50, {{"loss", std::numeric_limits<double>::quiet_NaN()}});
    EXPECT_EQ(read_metrics(file_).size(), 2u) << "each line is flushed";
  }
  MetricsLog(file_).write(3, {});
  const auto rows = read_metrics(file_);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].values.at("loss"), 0.1 + 0.2);
  EXPECT_EQ(rows[0].values.at("accuracy \"x\""), 1e-300);
  EXPECT_EQ(rows[1].step, int64_t{1} << 50);
  EXPECT_TRUE(std::isnan(rows[1].values.at("loss")));
  EXPECT_TRUE(rows[2].values.empty());
}

TEST_F(MetricsTest, ALineCutShortIsLeftOutAndMended) {
  MetricsLog(file_).write(1, {{"loss", 1}});
  const std::string whole = core::read_text(file_);
  for (size_t cut = 1; cut < whole.size() - 1; ++cut) {
    core::write_file(file_, whole + whole.substr(0, cut));
    EXPECT_EQ(read_metrics(file_).size(), 1u);
    MetricsLog(file_).write(2, {{"loss", 2}});
    const auto rows = read_metrics(file_);
    ASSERT_EQ(rows.size(), 2u) << cut;
    EXPECT_EQ(rows[1].step, 2);
  }
}

TEST_F(MetricsTest, ADamagedLineIsNamed) {
  for (const char* damaged :
       {"nonsense", "{\"loss\": 1}", "{\"step\": 1.5}", "{\"step\": 1, \"loss\": \"high\"}", ""}) {
    core::write_file(file_, std::string("{\"step\": 1}\n") + damaged + "\n{\"step\": 3}\n");
    const Error error = error_of([&] { read_metrics(file_); });
    EXPECT_EQ(error.kind(), ErrorKind::Corrupt) << damaged;
    EXPECT_THAT(error.what(), HasSubstr("metrics.jsonl:2"));
  }
}

TEST_F(MetricsTest, RowsFromAStepOnAreDropped) {
  drop_metrics_from(file_, 3);
  EXPECT_FALSE(std::filesystem::exists(file_));
  for (int64_t step = 1; step <= 5; ++step) {
    MetricsLog(file_).write(step, {{"loss", 0.1 * static_cast<double>(step)}});
  }
  drop_metrics_from(file_, 3);
  const auto rows = read_metrics(file_);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].values.at("loss"), 0.2);
}

TEST_F(MetricsTest, ErrorsOfUse) {
  EXPECT_EQ(error_of([&] { MetricsLog(folder_.path() / "absent" / "m.jsonl"); }).kind(),
            ErrorKind::Io);
  EXPECT_EQ(error_of([&] { read_metrics(file_); }).kind(), ErrorKind::NotFound);
  EXPECT_EQ(error_of([&] {
              MetricsLog(file_).write(1, {{"step", 2}});
            }).kind(),
            ErrorKind::InvalidArgument);
}

TEST_F(MetricsTest, AFullDiskIsTold) {
  if (!std::filesystem::exists("/dev/full")) {
    GTEST_SKIP() << "no /dev/full";
  }
  MetricsLog log("/dev/full");
  EXPECT_EQ(error_of([&] { log.write(1, {{"loss", 1}}); }).kind(), ErrorKind::Io);
}

TEST_F(MetricsTest, SummaryComesBackSorted) {
  const auto file = folder_.path() / "summary.json";
  const std::map<std::string, double> figures = {{"b", 0.1}, {"a", 1e300}, {"c", -0.0}};
  write_summary(file, figures, {{"release", "3 \"x\""}});
  EXPECT_EQ(read_figures(file), figures);
  const std::string text = core::read_text(file);
  EXPECT_LT(text.find("\"a\""), text.find("\"b\""));
  EXPECT_THAT(text, HasSubstr("\"notes\""));
  write_summary(file, figures, {{"release", "3 \"x\""}});
  EXPECT_EQ(core::read_text(file), text);
}

TEST_F(MetricsTest, ASummaryHoldsOnlyNumbers) {
  const auto file = folder_.path() / "summary.json";
  write_summary(file, {{"good", 1}}, {});
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const Error error = error_of([&] { write_summary(file, {{"accuracy", bad}}, {}); });
    EXPECT_EQ(error.kind(), ErrorKind::Numeric);
    EXPECT_THAT(error.what(), HasSubstr("'accuracy'"));
  }
  EXPECT_EQ(read_figures(file).at("good"), 1);
}

TEST_F(MetricsTest, ADamagedSummaryIsCorrupt) {
  const auto file = folder_.path() / "summary.json";
  for (const char* damaged :
       {"", "{", "[]", "{}", "{\"figures\": []}", "{\"figures\": {\"a\": \"1\"}}"}) {
    core::write_file(file, damaged);
    EXPECT_EQ(error_of([&] { read_figures(file); }).kind(), ErrorKind::Corrupt) << damaged;
  }
}

}  // namespace
}  // namespace coppice::report
