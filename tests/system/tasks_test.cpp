// `kind: train` for data without classes: numbers to predict, and samples to reconstruct.

#include <cmath>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/rng.h"
#include "graph/onnx.h"
#include "report/metrics_log.h"
#include "system/program.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

/// Four features of two factors, and a sum of these to predict.
std::string table(int64_t rows, uint64_t seed) {
  core::Rng rng(seed);
  std::string text = "a,b,c,d,sum\n";
  for (int64_t i = 0; i < rows; ++i) {
    const double u = rng.normal();
    const double v = rng.normal();
    text += fmt::format("{},{},{},{},{}\n", u, v, u - v, u + v, 2 * u + std::abs(v));
  }
  return text;
}

class Tasks : public ::testing::Test {
 protected:
  Tasks() {
    core::write_file(folder_.path() / "train.csv", table(600, 1));
    core::write_file(folder_.path() / "test.csv", table(200, 2));
  }

  /// `source`: how the tables are read.
  void write_manifest(const std::string& source) const {
    std::string manifest = "name: tables\nfolder: " + folder_.path().string() +
                           "\nfiles: [{path: train.csv}, {path: test.csv}]\nparts:\n";
    for (const char* part : {"train", "test"}) {
      manifest += fmt::format(
          "  - {{name: {0}, source: {{format: csv, files: [{0}.csv], {1}}}}}\n", part, source);
    }
    core::write_file(folder_.path() / "tables.yaml", manifest);
  }

  std::string write_experiment(const std::string& kind, const std::string& options) const {
    core::write_file(folder_.path() / "run.yaml",
                     fmt::format("kind: {}\nname: tables\n"
                                 "data: {{manifest: {}, train: 500, held_out: 100}}\n{}",
                                 kind,
                                 (folder_.path() / "tables.yaml").string(),
                                 options));
    return (folder_.path() / "run.yaml").string();
  }

  Outcome run(const std::string& kind, const std::string& options) const {
    return run_program({COPPICE, "run", write_experiment(kind, options), "--out", out()});
  }

  /// Of a regression.
  Outcome check(const std::string& student) const {
    write_manifest("task: regression, csv: {targets: [sum]}");
    return run_program({COPPICE, "check", write_experiment("train", "student: " + student)});
  }

  std::string out() const { return (folder_.path() / "out").string(); }

  auto figures() const { return report::read_figures(fs::path(out()) / "summary.json"); }

  core::TemporaryFolder folder_;
};

TEST_F(Tasks, RegressionIsJudgedByItsErrors) {
  write_manifest("task: regression, csv: {targets: [sum]}");
  const Outcome outcome = run("train", R"(
student:
  model: {name: mlp, widths: [32]}
  train: {epochs: 30, batch_size: 32, threads: 1, optimizer: {name: adam, learning_rate: 0.01}}
compress:
  prune: {macs_ratio: 0.7}
  recover: {epochs: 5, batch_size: 32, threads: 1, optimizer: {name: adam, learning_rate: 0.003}}
)");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_GT(figures().at("r2"), 0.9);
  EXPECT_LT(figures().at("rmse"), 0.6) << "the standard deviation is 2.1";
  EXPECT_GT(figures().at("float_r2"), 0.9);
  EXPECT_LE(figures().at("macs"), 0.7 * figures().at("float_macs"));
  EXPECT_THAT(figures(), Not(Contains(Key("accuracy"))));
  EXPECT_THAT(outcome.out, HasSubstr("rmse"));
  const std::string page = core::read_text(fs::path(out()) / "report.html");
  EXPECT_THAT(page, HasSubstr("RMSE"));
  EXPECT_THAT(page, Not(HasSubstr("Confusion")));
}

TEST_F(Tasks, ReconstructionIsJudgedByWhatItCannotRepeat) {
  write_manifest("task: reconstruction, csv: {ignored: [sum]}");
  const Outcome outcome = run("train", R"(
student:
  model: {name: autoencoder, widths: [8, 2]}
  train: {epochs: 30, batch_size: 32, threads: 1, optimizer: {name: adam, learning_rate: 0.01}}
compress: {enabled: false}
)");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_LT(figures().at("reconstruction_error"), 0.2) << "of standardised values: two factors";
  EXPECT_LT(figures().at("anomaly_share"), 0.1);
  const graph::Model model = graph::load_onnx(fs::path(out()) / "model.onnx");
  EXPECT_EQ(model.metadata.task, "reconstruction");
  EXPECT_GT(model.metadata.anomaly_threshold, 0);
  EXPECT_THAT(core::read_text(fs::path(out()) / "report.html"), HasSubstr("reconstruction error"));
}

TEST_F(Tasks, ChecksKnowWhatTheDataIs) {
  EXPECT_EQ(check("{model: {name: mlp}, train: {task: {loss: mae}}}").exit_code, 0);
  expect_last_error_line(
      check("{model: {name: cnn}}"), 2, HasSubstr("student.model: model 'cnn' takes images"));
  expect_last_error_line(check("{model: {name: mlp}, train: {augmentation: [{name: flip}]}}"),
                         2,
                         HasSubstr("needs images [channels, height, width]; a sample is [4]"));
}

TEST_F(Tasks, AFileOfAManifestThatIsMissingIsNamed) {
  fs::remove(folder_.path() / "test.csv");
  expect_last_error_line(
      check("{model: {name: mlp}}"), 3, HasSubstr("test.csv'; name its folder in data.folder"));
}

TEST_F(Tasks, KindsThatJudgeClassifiersSaySo) {
  write_manifest("task: regression, csv: {targets: [sum]}");
  expect_last_error_line(
      run("compress", "stages: [{train: {model: {name: mlp, widths: [8]}, epochs: 1}}]\n"),
      7,
      HasSubstr("it is for regression; kind: compress judges classifiers"));
}

}  // namespace
}  // namespace coppice::testing
