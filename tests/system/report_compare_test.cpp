// `coppice report compare` on run directories made here.

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "report/metrics_log.h"
#include "system/program.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ReportCompare : public ::testing::Test {
 protected:
  /// A finished run with three epochs.
  fs::path make_run(const std::string& name, int64_t seed, double rate, double accuracy) {
    const fs::path folder = folder_.path() / name;
    fs::create_directories(folder);
    core::write_file(folder / "config.yaml",
                     fmt::format("kind: train\nname: {}\nseed: {}\nstudent:\n  train:\n    epochs: "
                                 "3\n    optimizer: {{name: sgd, learning_rate: {}}}\n  model: "
                                 "{{widths: [8, 16]}}\n",
                                 name,
                                 seed,
                                 rate));
    report::MetricsLog log(folder / "metrics.jsonl");
    for (int64_t epoch = 1; epoch <= 3; ++epoch) {
      const auto left = static_cast<double>(3 - epoch);
      log.write(epoch,
                {{"loss", 0.3 + 0.2 * left},
                 {"validation_loss", 0.4 + 0.1 * left + 0.01 * static_cast<double>(seed)},
                 {"validation_accuracy", accuracy - 0.05 * left}});
    }
    report::write_summary(
        folder / "summary.json", {{"accuracy", accuracy}, {"loss", 0.4}, {"macs", 12000}}, {});
    return folder;
  }

  /// Two configurations of four seeds: differences of 1, 2, 3 and 2 points.
  void make_eight() {
    const std::vector<double> first{0.90, 0.91, 0.92, 0.91};
    const std::vector<double> second{0.91, 0.93, 0.95, 0.93};
    for (size_t i = 0; i < first.size(); ++i) {
      const auto seed = static_cast<int64_t>(i) + 1;
      make_run(fmt::format("slow-{}", seed), seed, 0.01, first[i]);
      make_run(fmt::format("fast-{}", seed), seed, 0.1, second[i]);
    }
  }

  Outcome compare(std::vector<std::string> arguments) const {
    std::vector<std::string> command{COPPICE, "report", "compare"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_program(command);
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  core::TemporaryFolder folder_;
};

TEST_F(ReportCompare, GroupsBySeedAndTestsPairs) {
  make_eight();
  const Outcome outcome = compare({path("slow-*"),
                                   path("fast-*"),
                                   "--out",
                                   path("compare.html"),
                                   "--json",
                                   path("compare.json")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("8 runs, 2 configurations"),
                    HasSubstr("student.train.optimizer.learning_rate"),
                    HasSubstr("91.00 ± 0.82 %"),
                    HasSubstr("93.00 ± 1.63 %"),
                    HasSubstr("+2.00"),
                    HasSubstr("cannot give less than 0.125")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("epochs"))) << "a field that all have in common";

  const auto json = nlohmann::json::parse(core::read_text(path("compare.json")));
  EXPECT_EQ(json["configurations"].size(), 2u);
  EXPECT_EQ(json["configurations"][1]["fields"]["student.train.optimizer.learning_rate"], "0.1");
  ASSERT_EQ(json["tests"].size(), 1u);
  const auto& test = json["tests"][0];
  EXPECT_EQ(test["n"], 4);
  EXPECT_NEAR(test["difference"]["mean"].get<double>(), 0.02, 1e-12);
  // Differences 1, 2, 3, 2: sd sqrt(2/3), t = 2 / (sd / 2) = sqrt(24), 3 degrees of freedom.
  EXPECT_NEAR(test["t_test"]["t"].get<double>(), std::sqrt(24.0), 1e-9);
  EXPECT_NEAR(test["t_test"]["p"].get<double>(), 0.01628, 5e-5);
  EXPECT_NEAR(test["difference"]["effect"].get<double>(), std::sqrt(6.0), 1e-9);
  EXPECT_NEAR(test["wilcoxon"]["p"].get<double>(), 0.125, 1e-12);

  const std::string page = core::read_text(path("compare.html"));
  EXPECT_THAT(page,
              AllOf(HasSubstr("B: learning_rate=0.1"),
                    HasSubstr("validation accuracy"),
                    HasSubstr("stroke-opacity"),
                    HasSubstr("Paired tests: accuracy"),
                    Not(HasSubstr("<script"))));
}

TEST_F(ReportCompare, HolmCountsThePairs) {
  make_eight();
  for (int64_t seed = 1; seed <= 4; ++seed) {
    make_run(fmt::format("wild-{}", seed), seed, 1, 0.5 + 0.1 * static_cast<double>(seed % 2));
  }
  const auto tests_of = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {folder_.path().string(), "--json", path("all.json")});
    const Outcome outcome = compare(more);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    return nlohmann::json::parse(core::read_text(path("all.json")))["tests"];
  };
  const auto all = tests_of({});
  ASSERT_EQ(all.size(), 3u);
  for (const auto& test : all) {
    EXPECT_GE(test["t_test"]["p_holm"].get<double>(), test["t_test"]["p"].get<double>());
  }
  EXPECT_EQ(tests_of({"--baseline", path("slow-1")}).size(), 2u);
  EXPECT_EQ(tests_of({"--ignore", "student.train.optimizer"}).size(), 0u) << "one configuration";
  EXPECT_EQ(tests_of({"--metric", "macs", "--metric", "loss"}).size(), 6u);
}

TEST_F(ReportCompare, SaysWhatIsWrongAndTheWayOut) {
  make_eight();
  expect_last_error_line(
      compare({path("none")}), 3, AllOf(HasSubstr("none"), HasSubstr("does not exist")));
  fs::create_directories(path("empty/inner"));
  expect_last_error_line(compare({path("empty")}), 3, HasSubstr("is no run directory"));
  expect_last_error_line(
      compare({path("slow-1/config.yaml")}), 3, HasSubstr("is a file; name the run directory"));
  expect_last_error_line(compare({path("slow-1")}), 2, HasSubstr("at least two"));
  expect_last_error_line(compare({folder_.path().string(), "--metric", "acuracy"}),
                         3,
                         HasSubstr("did you mean 'accuracy'"));
  expect_last_error_line(compare({folder_.path().string(), "--ignore", "student.trian"}),
                         3,
                         HasSubstr("did you mean 'student.train'"));
  expect_last_error_line(compare({path("slow-*"), "--baseline", path("fast-1")}),
                         3,
                         HasSubstr("none of the runs compared"));
  fs::remove(path("fast-4") + "/summary.json");
  expect_last_error_line(compare({path("fast-4")}), 6, HasSubstr("has not finished"));
  const Outcome rest = compare({folder_.path().string()});
  EXPECT_EQ(rest.exit_code, 0);
  EXPECT_THAT(rest.out,
              AllOf(HasSubstr("7 runs"), HasSubstr("1 unfinished run is left out: fast-4")));
  core::write_file(path("fast-3") + "/summary.json", "{");
  expect_last_error_line(compare({folder_.path().string()}), 5, HasSubstr("fast-3/summary.json"));
}

TEST_F(ReportCompare, ShowsOneRun) {
  const fs::path run = make_run("one", 7, 0.1, 0.9);
  const Outcome outcome =
      run_program({COPPICE, "report", "show", run.string(), "--out", path("one.html")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("train, seed 7"), HasSubstr("90.00 %"), HasSubstr("validation_loss")));
  EXPECT_THAT(core::read_text(path("one.html")), HasSubstr("best validation: 90.00 % (epoch 3)"));
}

}  // namespace
}  // namespace coppice::testing
