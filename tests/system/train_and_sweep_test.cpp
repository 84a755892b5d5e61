// A plain experiment and a sweep with the real programs.

#include <csignal>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/onnx.h"
#include "loop/page_check.h"
#include "report/metrics_log.h"
#include "report/tensorboard.h"
#include "system/program.h"
#include "system/tiny_experiment.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;

TEST(PlainExperiment, TrainsCompressesAndReports) {
  const TinyExperiment tiny;
  const fs::path out = tiny.path() / "out";
  const std::vector<std::string> command{
      COPPICE, "run", tiny.file().string(), "--out", out.string()};
  const Outcome outcome = run_program(command);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto figures = report::read_figures(out / "summary.json");
  EXPECT_GT(figures.at("accuracy"), 0.9);
  EXPECT_GT(figures.at("float_accuracy"), 0.9);
  EXPECT_LE(figures.at("macs"), 0.6 * figures.at("float_macs"));
  EXPECT_LT(figures.at("bytes"), figures.at("float_bytes"));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("accuracy"), HasSubstr("report: ")));
  EXPECT_TRUE(fs::exists(out / "model.onnx"));
  const std::string page = core::read_text(out / "report.html");
  expect_stands_alone(page);
  expect_on_page(page, "student loss: ");  // a point of the learning curve

  // The curves of the student's training: two epochs of 400 samples in batches of 32.
  EXPECT_EQ(report::read_metrics(out / "metrics.jsonl").size(), 2u);
  const auto events = report::tensorboard_files(out);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(report::read_tensorboard(events.front()).back().step, 26);
  const Outcome shown = run_program({COPPICE, "report", "show", out.string()});
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("float_accuracy"), HasSubstr("validation_loss")));

  // Again in the same folder: every stage is found, and the figures are the same.
  const Outcome again = run_program(command);
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.error,
              AllOf(HasSubstr("student: done before"), HasSubstr("quantise: done before")));
  EXPECT_EQ(report::read_figures(out / "summary.json").at("accuracy"), figures.at("accuracy"));
}

/// The student is a network that PyTorch exported: trained on, pruned, distilled from itself,
/// quantised and exported, from bytes that the file knew nothing of.
TEST(PlainExperiment, StartsFromAnImportedNetwork) {
  const TinyExperiment tiny;
  const auto run = [&](const fs::path& folder, const std::string& file) {
    return run_program({COPPICE,
                        "run",
                        tiny.file().string(),
                        "--out",
                        folder.string(),
                        "--set",
                        "student.imported.onnx=" + file});
  };
  const fs::path out = tiny.path() / "out";
  const Outcome outcome = run(out, PYTORCH_NETWORKS "/small.onnx");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto figures = report::read_figures(out / "summary.json");
  EXPECT_GT(figures.at("accuracy"), 0.9);
  EXPECT_LE(figures.at("macs"), 0.6 * figures.at("float_macs"));
  const graph::Model model = graph::load_onnx(out / "model.onnx");
  EXPECT_EQ(model.graph.inputs().at(0)->dtype, graph::DType::U8);
  EXPECT_EQ(model.metadata.class_names.at(0), "top left");
  EXPECT_EQ(model.graph.outputs, std::vector<std::string>{"y"});

  expect_last_error_line(run(tiny.path() / "missing", "no.onnx"),
                         3,
                         HasSubstr("student.imported.onnx: there is no file 'no.onnx'"));
  expect_last_error_line(run(tiny.path() / "unfit", PYTORCH_NETWORKS "/mobile.onnx"),
                         2,
                         HasSubstr("job 'student': the model does not fit the data: it takes"));
}

TEST(PlainExperiment, AJobThatFailsEndsTheRunWithItsOwnError) {
  const TinyExperiment tiny;
  const Outcome outcome = run_program({COPPICE,
                                       "run",
                                       tiny.file().string(),
                                       "--out",
                                       (tiny.path() / "out").string(),
                                       "--set",
                                       "compress.prune.macs_ratio=0.01"});
  expect_last_error_line(outcome, 2, HasSubstr("job 'prune': "));
  EXPECT_FALSE(fs::exists(tiny.path() / "out" / "summary.json"));
}

class Sweep : public ::testing::Test {
 protected:
  Sweep() {
    tiny_.write("sweep.yaml",
                "kind: sweep\n"
                "name: tiny-sweep\n"
                "experiment: tiny.yaml\n"
                "workers: 2\n"
                "study:\n"
                "  sampler: grid\n"
                "  objective: accuracy\n"
                "  parameters:\n"
                "    - {field: student.model.widths, values: [\"[8]\", \"[16]\", \"[24]\"]}\n");
  }

  std::vector<std::string> command() const {
    return {COPPICE, "run", (tiny_.path() / "sweep.yaml").string(), "--out", out().string()};
  }

  fs::path out() const { return tiny_.path() / "out"; }

  /// That one trial is on its way, in its second stage.
  bool is_under_way() const {
    const fs::path stages = out() / "stages";
    if (!fs::exists(stages)) {
      return false;
    }
    for (const auto& entry : fs::directory_iterator(stages)) {
      if (entry.path().filename().string().starts_with("student-") &&
          fs::exists(entry.path() / "done.json")) {
        return true;
      }
    }
    return false;
  }

  void expect_whole(const Outcome& outcome) const {
    ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
    const auto figures = report::read_figures(out() / "summary.json");
    EXPECT_EQ(figures.at("trials"), 3);
    EXPECT_EQ(figures.at("failed"), 0);
    EXPECT_GT(figures.at("best_accuracy"), 0.8);
    for (int trial = 0; trial < 3; ++trial) {
      EXPECT_TRUE(fs::exists(out() / "trials" / fmt::format("{:04}", trial) / "summary.json"));
    }
    for (const char* cell : {"student.model.widths", "[8]", "[16]", "[24]", "best: trial "}) {
      EXPECT_THAT(outcome.out, HasSubstr(cell));
    }
    EXPECT_THAT(outcome.out, Not(HasSubstr("running")));
    expect_stands_alone(core::read_text(out() / "report.html"));
    const Outcome compared = run_program({COPPICE, "report", "compare", out().string()});
    EXPECT_EQ(compared.exit_code, 0) << compared.error;
    EXPECT_THAT(compared.out,
                AllOf(HasSubstr("3 runs, 3 configurations"), HasSubstr("student.model.widths")));
  }

  TinyExperiment tiny_;
};

TEST_F(Sweep, InterruptedAndResumedItLosesNoTrial) {
  Program first(command());
  ASSERT_TRUE(wait_until([&] { return first.ended() || is_under_way(); }));
  first.signal_all(SIGINT);
  expect_last_error_line(first.wait(), 130, HasSubstr("--resume"));
  EXPECT_FALSE(fs::exists(out() / "summary.json"));
  auto again = command();
  again.emplace_back("--resume");
  expect_whole(run_program(again));
}

TEST_F(Sweep, KilledAndRunAgainItLosesNoTrial) {
  Program first(command());
  ASSERT_TRUE(wait_until([&] { return first.ended() || is_under_way(); }));
  first.signal(SIGKILL);
  EXPECT_EQ(first.wait().exit_code, 128 + SIGKILL);
  expect_whole(run_program(command()));
}

}  // namespace
}  // namespace coppice::testing
