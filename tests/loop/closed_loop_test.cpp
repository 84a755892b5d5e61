#include "loop/closed_loop.h"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/files.h"
#include "data/store.h"
#include "loop/fake_trainer.h"
#include "loop/tiny_world.h"
#include "release/release.h"

namespace coppice::loop {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ClosedLoopTest : public ::testing::Test {
 protected:
  LoopResult run(const LoopOptions& options, const std::string& folder, FakeTrainer& trainer) {
    return run_loop(options,
                    world_.folder() / folder,
                    trainer,
                    jobs::StageCache(world_.folder() / folder / "stages"));
  }

  LoopResult run(const LoopOptions& options, const std::string& folder = "run") {
    FakeTrainer trainer;
    return run(options, folder, trainer);
  }

  TinyWorld world_;
};

std::vector<std::string> all_events(const LoopResult& result) {
  std::vector<std::string> events;
  for (const DayRow& row : result.days) {
    events.insert(events.end(), row.events.begin(), row.events.end());
  }
  return events;
}

std::map<std::string, double> without_times(std::map<std::string, double> figures) {
  figures.erase("wall_seconds");
  return figures;
}

void expect_same(const LoopResult& a, const LoopResult& b) {
  EXPECT_EQ(without_times(a.figures), without_times(b.figures));
  ASSERT_EQ(a.days.size(), b.days.size());
  for (size_t i = 0; i < a.days.size(); ++i) {
    EXPECT_EQ(a.days[i].loop_accuracy, b.days[i].loop_accuracy);
    EXPECT_EQ(a.days[i].stream_accuracy, b.days[i].stream_accuracy);
    EXPECT_EQ(a.days[i].uploaded, b.days[i].uploaded);
    EXPECT_EQ(a.days[i].uploaded_bytes, b.days[i].uploaded_bytes);
    EXPECT_EQ(a.days[i].events, b.days[i].events);
  }
  EXPECT_EQ(a.confusion_after, b.confusion_after);
}

/// A retrained model that mistakes every class.
void sabotage_retraining(FakeTrainer& trainer) {
  trainer.on_model = [](const jobs::JobSpec& spec, graph::Model& model) {
    if (spec.name.starts_with("retrain-") && spec.name.ends_with("-recover")) {
      confuse(model);
    }
  };
}

TEST_F(ClosedLoopTest, LearnsAClassThatTheFirstModelHasNeverSeen) {
  const LoopResult result = run(world_.loop());
  ASSERT_EQ(result.days.size(), 4);
  const DayRow& first = result.days.front();
  const DayRow& last = result.days.back();
  EXPECT_EQ(first.phase, "clean");
  EXPECT_EQ(last.phase, "new class");
  EXPECT_EQ(first.release, 1);
  EXPECT_GT(last.release, 1);
  EXPECT_DOUBLE_EQ(first.frozen_accuracy, first.loop_accuracy);
  EXPECT_NEAR(last.frozen_accuracy, 0.75, 0.01) << "one class of four is always wrong";
  EXPECT_GT(last.loop_accuracy, 0.95);
  EXPECT_GT(result.figures.at("retrainings"), 0);
  EXPECT_THAT(all_events(result), Contains(HasSubstr("release 2 promoted")));
}

TEST_F(ClosedLoopTest, FiguresFollowFromTheDays) {
  const LoopResult result = run(world_.loop());
  const auto& f = result.figures;
  double gain = 0;
  int64_t inferred = 0;
  int64_t uploaded = 0;
  for (const DayRow& row : result.days) {
    gain += row.phase == "clean" ? 0 : 100 * (row.loop_accuracy - row.frozen_accuracy) / 3;
    inferred += row.inferred;
    uploaded += row.uploaded;
    EXPECT_GT(row.uploaded_bytes, 0) << "a device reports its status at least";
  }
  EXPECT_NEAR(f.at("loop_gain_points"), gain, 1e-9);
  EXPECT_DOUBLE_EQ(f.at("last_day_accuracy"), result.days.back().loop_accuracy);
  EXPECT_EQ(f.at("images_seen"), 700);
  EXPECT_EQ(inferred, 700);
  EXPECT_GE(f.at("samples_uploaded"), static_cast<double>(uploaded));
  EXPECT_DOUBLE_EQ(f.at("uploaded_share"), f.at("samples_uploaded") / 700);
  EXPECT_LT(f.at("student_macs_ratio"), 0.71);
  EXPECT_LT(f.at("student_bytes_ratio"), 1);
  EXPECT_GT(f.at("student_accuracy"), 0.95) << "of the classes that it knows";
  EXPECT_GT(f.at("teacher_accuracy"), 0.95);
  for (const char* name : {"student_accuracy_drop_points", "samples_lost", "samples_duplicated"}) {
    EXPECT_THAT(f, Contains(Key(name)));
  }
  const auto total = [](const std::vector<std::vector<double>>& counts) {
    double sum = 0;
    for (const auto& row : counts) {
      sum = std::accumulate(row.begin(), row.end(), sum);
    }
    return sum;
  };
  EXPECT_EQ(total(result.confusion_before), kTestImages);
  EXPECT_EQ(total(result.confusion_after), kTestImages);
  EXPECT_EQ(result.confusion_before[3][3], 0);
  EXPECT_GT(result.confusion_after[3][3], 0);
}

TEST_F(ClosedLoopTest, TheSameSeedGivesTheSameRunAndAnotherSeedAnother) {
  LoopOptions options = world_.loop();
  const LoopResult first = run(options, "first");
  expect_same(first, run(options, "second"));
  options.seed = 2;
  EXPECT_NE(without_times(first.figures), without_times(run(options, "third").figures));
}

TEST_F(ClosedLoopTest, NothingIsLostOrCountedTwiceHoweverMessagesCome) {
  LoopOptions options = world_.loop();
  options.field.duplicate_share = 0.5;
  options.field.delay_share = 0.5;
  const auto figures = run(options).figures;
  EXPECT_GT(figures.at("samples_redelivered"), 0) << "the faults must have struck";
  EXPECT_GT(figures.at("samples_uploaded"), 20);
  EXPECT_EQ(figures.at("samples_lost"), 0);
  EXPECT_EQ(figures.at("samples_duplicated"), 0);
  EXPECT_EQ(figures.at("samples_waiting"), 0) << "what was under way has arrived";
}

TEST_F(ClosedLoopTest, WhatABudgetKeepsBackIsNotLost) {
  LoopOptions options = world_.loop();
  options.device.daily_upload_samples = 3;
  const auto figures = run(options).figures;
  EXPECT_LE(figures.at("samples_uploaded"), 3 * 2 * (4 + 10)) << "settling takes days, too";
  EXPECT_GT(figures.at("samples_waiting") + figures.at("samples_uploaded"), 0);
  EXPECT_EQ(figures.at("samples_lost"), 0);
}

TEST_F(ClosedLoopTest, AGateThatRefusesLeavesTheChampionInTheField) {
  FakeTrainer trainer;
  sabotage_retraining(trainer);
  const LoopResult result = run(world_.loop(), "run", trainer);
  EXPECT_GT(result.figures.at("gate_refusals"), 0);
  EXPECT_EQ(result.figures.at("gate_refusals"), result.figures.at("retrainings"));
  EXPECT_EQ(result.figures.at("releases"), 1);
  for (const DayRow& row : result.days) {
    EXPECT_EQ(row.release, 1);
    EXPECT_EQ(row.loop_accuracy, row.frozen_accuracy);
  }
}

TEST_F(ClosedLoopTest, AFirstModelThatFailsTheGateIsNeverReleased) {
  FakeTrainer trainer;
  trainer.on_model = [](const jobs::JobSpec& spec, graph::Model& model) {
    if (spec.name == "recover") {
      confuse(model);
    }
  };
  EXPECT_ERROR(run(world_.loop(), "run", trainer),
               Refused,
               AllOf(HasSubstr("first artefact"), HasSubstr("accuracy")));
  EXPECT_FALSE(std::filesystem::exists(world_.folder() / "run" / "release"));
}

TEST_F(ClosedLoopTest, ABadReleaseIsRolledBackFromTheDevicesThatTriedIt) {
  LoopOptions options = world_.loop();
  options.service.trigger.cooldown_hours = 1000;  // one retraining
  auto& gate = options.service.gate;              // lets everything through
  gate.min_accuracy = 0;
  gate.max_drop_points = gate.max_class_drop_points = gate.max_field_drop_points = 100;
  gate.max_calibration_error = 1;
  FakeTrainer trainer;
  sabotage_retraining(trainer);
  const LoopResult result = run(options, "run", trainer);
  const auto events = all_events(result);
  ASSERT_THAT(events, Contains(HasSubstr("release 2 to 1 canaries")));
  EXPECT_THAT(events, Contains(HasSubstr("release 2 rolled back")));
  EXPECT_THAT(events, Not(Contains(HasSubstr("release 2 promoted"))));
  EXPECT_EQ(result.figures.at("releases"), 3) << "the first, the bad one, the first once more";
  EXPECT_EQ(result.days.back().release, 3) << "a rollback counts upwards";
  EXPECT_EQ(result.days.back().loop_accuracy, result.days.back().frozen_accuracy);
  EXPECT_EQ(result.confusion_after, result.confusion_before);
}

TEST_F(ClosedLoopTest, AnInterruptedRunGoesOnFromItsLastFinishedStage) {
  const LoopResult whole = run(world_.loop(), "whole");
  FakeTrainer interrupted;
  interrupted.on_start = [](const jobs::JobSpec& spec) {
    if (spec.name == "retrain-1-recover") {
      throw core::Error(core::ErrorKind::Interrupted, "interrupted");
    }
  };
  EXPECT_ERROR(run(world_.loop(), "resumed", interrupted), Interrupted, HasSubstr("interrupted"));
  EXPECT_THAT(interrupted.started(),
              ElementsAre("teacher",
                          "student",
                          "prune",
                          "recover",
                          "quantise",
                          "retrain-1-train",
                          "retrain-1-prune",
                          "retrain-1-recover"));
  FakeTrainer resumed;
  const LoopResult result = run(world_.loop(), "resumed", resumed);
  ASSERT_FALSE(resumed.started().empty());
  EXPECT_EQ(resumed.started().front(), "retrain-1-recover");
  expect_same(result, whole);
  const auto cached = [](const StageTime& stage) {
    return stage.cached;
  };
  EXPECT_EQ(std::count_if(result.times.begin(), result.times.end(), cached), 7);
}

TEST_F(ClosedLoopTest, LeavesARollableReleaseBehind) {
  run(world_.loop());
  const auto folder = world_.folder() / "run";
  const auto key = release::read_public_key(folder / "keys" / "release.pub");
  const auto package = release::read_release(folder / "release");
  const auto manifest = release::verify(package, key, 1, core::SystemClock().now());
  EXPECT_EQ(manifest.name, "tiny");
  EXPECT_EQ(manifest.reason, "retrain");
  EXPECT_THAT(manifest.metrics, Contains(Key("accuracy")));
}

TEST_F(ClosedLoopTest, RetrainingStartsFromTheModelInTheField) {
  std::map<std::string, jobs::JobSpec> specs;
  FakeTrainer trainer;
  trainer.on_start = [&](const jobs::JobSpec& spec) {
    specs.emplace(spec.name, spec);
  };
  run(world_.loop(), "run", trainer);
  const auto same = [](const std::filesystem::path& a, const std::filesystem::path& b) {
    return core::read_file(a) == core::read_file(b);
  };
  const auto& first = specs.at("retrain-1-train").inputs;
  EXPECT_TRUE(same(first.at("model"), specs.at("prune").inputs.at("model"))) << "unpruned student";
  EXPECT_TRUE(same(first.at("teacher"), specs.at("quantise").inputs.at("model")))
      << "what was quantised for the field";
  EXPECT_EQ(specs.at("student").inputs.at("teacher"), specs.at("recover").inputs.at("teacher"));
}

TEST_F(ClosedLoopTest, RetrainingLearnsTheNewestSamplesAndReplaysTheOthers) {
  LoopOptions options = world_.loop();
  options.retrain.newest_samples = 10;
  std::map<std::string, jobs::JobSpec> specs;
  FakeTrainer trainer;
  trainer.on_start = [&](const jobs::JobSpec& spec) {
    specs.emplace(spec.name, spec);
  };
  run(options, "run", trainer);
  const auto& inputs = specs.at("retrain-2-train").inputs;
  EXPECT_EQ(data::open_version(inputs.at("train"))->size(), 10);
  const auto origins = data::read_origins(inputs.at("train"));
  EXPECT_THAT(origins, AllOf(SizeIs(10), Each(StartsWith("edge-"))));
  const auto start = data::read_all(*data::open_version(specs.at("student").inputs.at("train")));
  const auto replay = data::read_all(*data::open_version(inputs.at("replay")));
  EXPECT_GT(replay.size, start.size) << "older field samples, too";
  EXPECT_TRUE(std::equal(start.samples.begin(), start.samples.end(), replay.samples.begin()));
}

}  // namespace
}  // namespace coppice::loop
