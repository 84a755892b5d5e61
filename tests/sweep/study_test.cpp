#include "sweep/study.h"

#include <cmath>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/error_of.h"
#include "core/files.h"

namespace coppice::sweep {
namespace {

using core::Error;
using core::ErrorKind;
using core::test::error_of;
using std::chrono::seconds;
using ::testing::HasSubstr;

class StudyTest : public ::testing::Test {
 protected:
  StudyTest() {
    options_.parameters = {{"a", {"1", "2"}, {}, false, false},
                           {"b", {"x", "y"}, {}, false, false}};
  }

  Study open() { return Study(file_, options_, 1, clock_, seconds(60)); }

  core::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "study.db";
  core::VirtualClock clock_{core::from_millis(1'000'000)};
  StudyOptions options_;
};

TEST_F(StudyTest, AskRunTell) {
  Study study = open();
  EXPECT_EQ(study.total(), 4);
  EXPECT_FALSE(study.best());
  for (int64_t i = 0; i < 4; ++i) {
    const auto trial = study.ask("w");
    ASSERT_TRUE(trial);
    EXPECT_EQ(trial->number, i);
    EXPECT_EQ(trial->worker, "w");
    study.tell(
        i, {{"accuracy", i == 2 ? 0.9 : 0.5}, {"bytes", 100}}, "trials/" + std::to_string(i));
    EXPECT_EQ(study.finished(), i == 3);
  }
  EXPECT_FALSE(study.ask("w"));
  const auto trials = study.trials();
  ASSERT_EQ(trials.size(), 4u);
  EXPECT_EQ(trials[3].assignment, (Assignment{{"a", "2"}, {"b", "y"}}));
  EXPECT_EQ(trials[3].state, Trial::State::Finished);
  EXPECT_EQ(trials[3].figures.at("bytes"), 100);
  EXPECT_EQ(trials[3].folder, "trials/3");
  EXPECT_EQ(study.best()->number, 2);
  EXPECT_EQ(study.best()->objective, 0.9);
}

TEST_F(StudyTest, TheBestMayBeTheLeastAndTheFirstOfEqualOnes) {
  options_.maximise = false;
  Study study = open();
  for (const double objective : {0.5, 0.2, 0.2}) {
    study.tell(study.ask("w")->number, {{"accuracy", objective}}, "");
  }
  EXPECT_EQ(study.best()->number, 1);
}

TEST_F(StudyTest, NeverMoreTrialsThanAsked) {
  options_.trials = 3;
  Study study = open();
  EXPECT_EQ(study.total(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(study.ask("w"));
  }
  EXPECT_FALSE(study.ask("w"));
  EXPECT_FALSE(study.finished());
}

TEST_F(StudyTest, GoesOnAfterReopening) {
  std::vector<Assignment> whole;
  {
    options_.sampler = "random";
    options_.trials = 6;
    options_.parameters.push_back({"c", {}, {0, 1}, false, false});
    Study study(folder_.path() / "whole.db", options_, 1);
    while (const auto trial = study.ask("w")) {
      whole.push_back(trial->assignment);
    }
  }
  std::vector<Assignment> pieces;
  for (int64_t i = 0; i < 6; ++i) {
    Study study = open();
    const auto trial = study.ask("w");
    ASSERT_TRUE(trial);
    EXPECT_EQ(trial->number, i);
    pieces.push_back(trial->assignment);
    study.tell(i, {{"accuracy", 0.1}}, "");
  }
  EXPECT_EQ(pieces, whole);
}

TEST_F(StudyTest, OtherOptionsOrAnotherSeedAreRefused) {
  open();
  const auto kept = options_;
  options_.parameters[1].values.push_back("z");
  Error error = error_of([&] { open(); });
  EXPECT_EQ(error.kind(), ErrorKind::Refused);
  EXPECT_THAT(error.what(), HasSubstr("study.db"));
  EXPECT_THAT(error.what(), HasSubstr("z"));
  options_ = kept;
  options_.objective = "loss";
  EXPECT_THAT(error_of([&] { open(); }).what(),
              HasSubstr("'objective: accuracy', not 'objective: loss'"));
  error = error_of([&] { Study(file_, kept, 2, clock_); });
  EXPECT_EQ(error.kind(), ErrorKind::Refused);
  EXPECT_THAT(error.what(), HasSubstr("'seed: 1', not 'seed: 2'"));
  options_ = kept;
  EXPECT_EQ(open().total(), 4);
}

TEST_F(StudyTest, OptionsThatMakeNoSenseAreRefusedAtOnce) {
  options_.parameters.push_back({"c", {}, {0, 1}, false, false});
  EXPECT_THAT(error_of([&] { open(); }).what(), HasSubstr("range"));
  options_.sampler = "random";
  EXPECT_THAT(error_of([&] { open(); }).what(), HasSubstr("number of trials"));
  options_.sampler = "gird";
  EXPECT_EQ(error_of([&] { open(); }).kind(), ErrorKind::NotFound);
  options_.parameters.clear();
  EXPECT_EQ(error_of([&] { open(); }).kind(), ErrorKind::InvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(StudyTest, OptionsAreReadFromYaml) {
  const auto options = core::read_options<StudyOptions>(core::parse_config_text(
      "sampler: random\ntrials: 5\nobjective: loss\nmaximise: false\n"
      "parameters:\n- field: a\n  range: [1e-4, 0.1]\n  log: true\n- {field: b, values: [1, 2]}\n",
      "sweep.yaml"));
  EXPECT_EQ(options.trials, 5);
  EXPECT_TRUE(options.parameters.at(0).log);
  EXPECT_EQ(options.parameters.at(1).values.at(1), "2");
  const Error error = error_of([&] {
    core::read_options<StudyOptions>(core::parse_config_text("sampler: tpe\n", "sweep.yaml"));
  });
  EXPECT_THAT(error.what(), HasSubstr("grid, random"));
}

TEST_F(StudyTest, ADeadWorkersTrialIsGivenOutAgain) {
  Study study = open();
  const auto lost = study.ask("dead");
  clock_.advance(seconds(59));
  EXPECT_EQ(study.ask("alive")->number, 1) << "its lease has not run out";
  clock_.advance(seconds(1));
  const auto again = study.ask("alive");
  EXPECT_EQ(again->number, 0);
  EXPECT_EQ(again->assignment, lost->assignment);
  EXPECT_EQ(again->worker, "alive");
  EXPECT_EQ(study.trials().size(), 2u);
}

TEST_F(StudyTest, RenewingKeepsALongTrial) {
  Study study = open();
  study.ask("slow");
  for (int i = 0; i < 5; ++i) {
    clock_.advance(seconds(50));
    study.renew(0, "slow");
  }
  EXPECT_EQ(study.ask("other")->number, 1);
  clock_.advance(seconds(60));
  study.renew(0, "slow");
  EXPECT_EQ(study.ask("third")->number, 1) << "that of the silent other one";
}

TEST_F(StudyTest, RenewingALostTrialIsRefused) {
  Study study = open();
  study.ask("slow");
  clock_.advance(seconds(60));
  EXPECT_EQ(study.ask("other")->number, 0);
  EXPECT_EQ(error_of([&] { study.renew(0, "slow"); }).kind(), ErrorKind::Refused);
  study.renew(0, "other");
  study.tell(0, {{"accuracy", 1}}, "");
  EXPECT_EQ(error_of([&] { study.renew(0, "other"); }).kind(), ErrorKind::Refused);
}

TEST_F(StudyTest, AHeartbeatKeepsATrialUntilItEnds) {
  const auto almost = std::chrono::milliseconds(59);
  Study study(file_, options_, 1, clock_, std::chrono::milliseconds(60));
  study.ask("w");
  clock_.advance(almost);
  EXPECT_FALSE(study.keep(0, "w")->lost());
  clock_.advance(almost);
  EXPECT_EQ(study.ask("other")->number, 1) << "the first was renewed";
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(study.ask("third")->number, 0) << "and is renewed no more";
  EXPECT_TRUE(study.keep(0, "w")->lost());
}

TEST_F(StudyTest, AHeartbeatBeatsOnItsOwn) {
  Study study(file_, options_, 1, clock_, std::chrono::milliseconds(30));
  study.ask("w");
  const auto heartbeat = study.keep(0, "w");
  EXPECT_FALSE(heartbeat->lost());
  study.tell(0, {{"accuracy", 1}}, "");
  for (int i = 0; i < 2000 && !heartbeat->lost(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(heartbeat->lost());
}

TEST_F(StudyTest, ReleaseGivesBackOnlyWhatTheWorkerHolds) {
  Study study = open();
  study.ask("a");
  study.ask("b");
  study.tell(study.ask("a")->number, {{"accuracy", 1}}, "");
  study.release("a");
  EXPECT_EQ(study.trials().at(0).worker, "");
  EXPECT_EQ(study.ask("c")->number, 0);
  EXPECT_EQ(study.ask("c")->number, 3);
  EXPECT_FALSE(study.ask("c"));
}

TEST_F(StudyTest, ATrialThatKillsItsWorkersIsGivenUp) {
  Study study = open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(study.ask("w")->number, 0);
    clock_.advance(seconds(60));
  }
  EXPECT_EQ(study.ask("w")->number, 1);
  EXPECT_EQ(study.trials().at(0).state, Trial::State::Failed);
  EXPECT_THAT(study.trials().at(0).reason, HasSubstr("died 3 times"));
}

TEST_F(StudyTest, ReleasingIsNotDying) {
  Study study = open();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(study.ask("w")->number, 0);
    study.release("w");
  }
  EXPECT_EQ(study.ask("w")->number, 0);
}

TEST_F(StudyTest, ASecondResultIsNotCounted) {
  Study study = open();
  study.ask("slow");
  clock_.advance(seconds(60));
  study.ask("fast");
  study.tell(0, {{"accuracy", 0.7}}, "fast");
  study.tell(0, {{"accuracy", 0.9}}, "slow");
  study.fail(0, "late");
  EXPECT_EQ(study.trials().at(0).objective, 0.7);
  EXPECT_EQ(study.trials().at(0).state, Trial::State::Finished);
}

TEST_F(StudyTest, FailuresStayWithTheirReason) {
  Study study = open();
  study.fail(study.ask("w")->number, "out of memory");
  study.tell(study.ask("w")->number,
             {{"accuracy", std::numeric_limits<double>::quiet_NaN()}, {"loss", 2}},
             "f");
  const auto trials = study.trials();
  EXPECT_EQ(trials[0].state, Trial::State::Failed);
  EXPECT_EQ(trials[0].reason, "out of memory");
  EXPECT_EQ(trials[1].state, Trial::State::Failed);
  EXPECT_THAT(trials[1].reason, HasSubstr("accuracy is nan"));
  EXPECT_TRUE(std::isnan(trials[1].figures.at("accuracy")));
  EXPECT_FALSE(study.best());
  EXPECT_EQ(study.ask("w")->number, 2) << "a failed trial is not tried again";
}

TEST_F(StudyTest, AMissingObjectiveIsNamed) {
  Study study = open();
  study.ask("w");
  const Error error = error_of([&] { study.tell(0, {{"accurasy", 1}}, ""); });
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("did you mean 'accurasy'"));
  EXPECT_EQ(study.trials().at(0).state, Trial::State::Running);
  EXPECT_EQ(error_of([&] { study.tell(9, {{"accuracy", 1}}, ""); }).kind(), ErrorKind::NotFound);
  EXPECT_EQ(error_of([&] { study.fail(9, ""); }).kind(), ErrorKind::NotFound);
}

}  // namespace
}  // namespace coppice::sweep
