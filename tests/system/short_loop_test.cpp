// A short closed loop on Fashion-MNIST with the real programs: figures, repetition, Ctrl-C.

#include <csignal>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/readers.h"
#include "loop/idx_files.h"
#include "loop/page_check.h"
#include "report/metrics_log.h"
#include "system/program.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;

const std::vector<std::string> kOverrides{
    "name=short",
    "data.train=2000",
    "data.held_out=1000",
    "data.field=3000",
    "teacher.model.widths=[8, 16, 16]",
    "teacher.train.epochs=1",
    "student.model.widths=[16, 16, 32]",
    "student.train.epochs=4",
    "compress.recover.epochs=3",
    "compress.prune={macs_ratio: 0.5, min_channels: 4}",
    "retrain.train.epochs=1",
    "retrain.train.steps_per_epoch=15",
    "retrain.recover.epochs=1",
    "retrain.recover.steps_per_epoch=15",
    "field.ticks_per_day=8",
    "field.scenario.devices=3",
    "field.scenario.phases.0.days=1",
    "field.scenario.phases.1.days=1",
    "field.scenario.phases.2.days=1",
    "field.scenario.phases.3.days=1",
    "service.trigger={min_new_samples: 60, drift_min_samples: 60, cooldown_hours: 40}",
    "service.gate={min_accuracy: 0.1, max_drop_points: 100, max_class_drop_points: 100, "
    "max_field_drop_points: 100, max_calibration_error: 1, judge_latency: false}",
    "service.rollout={canary_share: 0.34, canary_hours: 3, min_feedback: 5, max_wait_hours: 9}",
};

/// The first images of one of Fashion-MNIST's parts: the same loop in less time.
void cut(const std::string& part, int64_t count, const fs::path& folder, const std::string& stem) {
  const std::string source = std::string("/usr/share/datasets/fashion-mnist/") + part;
  const auto all = data::read_idx(source + "-images-idx3-ubyte.gz",
                                  source + "-labels-idx1-ubyte.gz",
                                  std::vector<std::string>(10, "any"));
  std::vector<int64_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  data::Batch batch;
  all->read(indices, batch);
  Images images{28, batch.samples, {}};
  for (const int64_t label : batch.labels) {
    images.labels.push_back(static_cast<std::byte>(label));
  }
  write_idx(folder, stem, images);
}

std::vector<std::string> command(const fs::path& data, std::vector<std::string> more) {
  std::vector<std::string> words{COPPICE, "run", std::string(CONFIGS) + "/loop/fashion-mnist.yaml"};
  for (const std::string& override_word : kOverrides) {
    words.insert(words.end(), {"--set", override_word});
  }
  for (const char* name : {"train-images", "train-labels", "test-images", "test-labels"}) {
    std::string field = name;
    field[field.find('-')] = '_';
    words.insert(words.end(), {"--set", fmt::format("data.{}={}", field, (data / name).string())});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::map<std::string, double> figures_in(const fs::path& run) {
  auto figures = report::read_figures(run / "summary.json");
  figures.erase("wall_seconds");
  return figures;
}

/// Folders of finished stages, by name: "student-<key>".
std::set<std::string> finished_stages(const fs::path& stages) {
  std::set<std::string> names;
  if (fs::exists(stages)) {
    for (const auto& entry : fs::directory_iterator(stages)) {
      if (fs::exists(entry.path() / "done.json")) {
        names.insert(entry.path().filename().string());
      }
    }
  }
  return names;
}

bool has_stage(const std::set<std::string>& stages, const std::string& name) {
  const auto it = stages.lower_bound(name + "-");
  return it != stages.end() && it->starts_with(name + "-");
}

/// Run directories under runs/; the stages lie beside them.
std::vector<fs::path> runs_in(const fs::path& folder) {
  std::vector<fs::path> runs;
  for (const auto& entry : fs::directory_iterator(folder / "runs")) {
    if (entry.path().filename() != "stages") {
      runs.push_back(entry.path());
    }
  }
  return runs;
}

void expect_whole_run(const Outcome& outcome, const fs::path& run) {
  const auto figures = report::read_figures(run / "summary.json");
  for (const char* name : {"student_bytes_ratio",
                           "student_macs_ratio",
                           "student_accuracy_drop_points",
                           "student_accuracy",
                           "loop_gain_points",
                           "uploaded_share",
                           "last_day_accuracy",
                           "samples_lost",
                           "samples_duplicated",
                           "wall_seconds"}) {
    EXPECT_THAT(figures, Contains(Key(name)));
  }
  EXPECT_EQ(figures.at("samples_lost"), 0);
  EXPECT_EQ(figures.at("samples_duplicated"), 0);
  EXPECT_EQ(figures.at("images_seen"), 3000);
  EXPECT_GT(figures.at("samples_uploaded"), 60);
  EXPECT_GT(figures.at("retrainings"), 0);
  EXPECT_GT(figures.at("releases"), 1);
  EXPECT_LE(figures.at("student_macs_ratio"), 0.5);
  EXPECT_LE(figures.at("student_bytes_ratio"), 0.5);
  EXPECT_GT(figures.at("student_accuracy"), 0.4) << "it has learned something";
  EXPECT_EQ(report::read_metrics(run / "metrics.jsonl").size(), 4);
  for (const char* phase : {"clean", "noise", "rotation", "new classes"}) {
    EXPECT_THAT(outcome.out, HasSubstr(phase));
  }
  EXPECT_THAT(outcome.out, HasSubstr("report: "));
  for (const char* name : {"config.yaml", "provenance.json", "log.txt", "report.html"}) {
    EXPECT_TRUE(fs::exists(run / name)) << name;
  }
  expect_stands_alone(core::read_text(run / "report.html"));
}

TEST(ShortLoop, EndsAndInterruptedAndResumedItEndsAlike) {
  const core::TemporaryFolder folder;
  cut("train", 6400, folder.path(), "train");
  cut("t10k", 2000, folder.path(), "test");
  const auto loop = [&](const std::vector<std::string>& more) {
    return command(folder.path(), more);
  };
  const fs::path whole = folder.path() / "whole";
  const Outcome outcome = run_program(loop({"--out", whole.string()}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  expect_whole_run(outcome, whole);

  // Once more elsewhere, interrupted by Ctrl-C while it retrains.
  const fs::path stages = folder.path() / "runs" / "stages";
  Program second(loop({}), {.working_folder = folder.path()});
  ASSERT_TRUE(wait_until(
      [&] { return second.ended() || has_stage(finished_stages(stages), "retrain-1-train"); }));
  second.signal_all(SIGINT);
  expect_last_error_line(second.wait(), 130, HasSubstr("--resume"));
  ASSERT_EQ(runs_in(folder.path()).size(), 1);
  const fs::path run = runs_in(folder.path()).front();
  EXPECT_FALSE(fs::exists(run / "summary.json"));
  const auto before = finished_stages(stages);

  const Outcome resumed = run_program(loop({"--resume"}), {.working_folder = folder.path()});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_EQ(runs_in(folder.path()), std::vector{run}) << "no second run directory";
  expect_whole_run(resumed, run);
  EXPECT_EQ(figures_in(run), figures_in(whole));
  const std::string log = core::read_text(run / "log.txt");
  for (const char* stage : {"teacher", "student", "quantise", "retrain-1-train"}) {
    EXPECT_TRUE(has_stage(before, stage)) << stage;
    EXPECT_THAT(log, HasSubstr(fmt::format("{}: done before", stage)));
  }

  // The release that it leaves behind is one that a device takes.
  const Outcome refused = run_program({COPPICE_EDGE,
                                       "run",
                                       "--release",
                                       (run / "release").string(),
                                       "--key",
                                       (run / "keys" / "release.pub").string(),
                                       "--images",
                                       (run / "keys").string()});
  expect_last_error_line(refused, 3, HasSubstr("no PNG or JPEG"));
  EXPECT_THAT(refused.error, HasSubstr("of short ("));
}

}  // namespace
}  // namespace coppice::testing
