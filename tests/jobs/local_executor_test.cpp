#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error_of.h"
#include "core/files.h"
#include "core/hash.h"
#include "jobs/executor.h"

namespace coppice::jobs {
namespace {

using core::Error;
using core::ErrorKind;
using ::testing::HasSubstr;

class LocalExecutorTest : public ::testing::Test {
 protected:
  std::unique_ptr<Executor> make(const std::string& script, LocalLaunch launch = {}) {
    core::write_file(trainer_, "#!/bin/sh\n" + script);
    ::chmod(trainer_.c_str(), 0755);
    return make_local_executor(trainer_, launch);
  }

  JobSpec spec() {
    JobSpec spec;
    spec.kind = "train";
    spec.name = "student";
    spec.options = "epochs: 3";
    return spec;
  }

  Error failure(const std::string& script, LocalLaunch launch = {}) {
    return core::test::error_of([&] { make(script, launch)->run(spec(), out_, {}); });
  }

  core::TemporaryFolder folder_;
  std::filesystem::path trainer_ = folder_.path() / "my trainer";
  std::filesystem::path out_ = folder_.path() / "out folder";
};

TEST_F(LocalExecutorTest, HandsOverTheJobAndItsProgress) {
  const auto executor = make(
      "echo \"$1 $3\"; cp \"$2\" \"$4/seen.yaml\"; echo noise >&2\n"
      "echo '{\"progress\": {\"phase\": \"epoch 1/3\", \"done\": 5, \"total\": 9}}'\n");
  JobSpec job = spec();
  core::write_file(folder_.path() / "in.h5", "x");
  job.inputs["train"] = std::filesystem::relative(folder_.path() / "in.h5");
  std::vector<JobProgress> seen;
  executor->run(job, out_, [&](const JobProgress& progress) { seen.push_back(progress); });
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].phase, "epoch 1/3");
  EXPECT_EQ(seen[0].done, 5);
  const JobSpec read = load_job(out_ / "seen.yaml");
  EXPECT_EQ(read.kind, "train");
  EXPECT_TRUE(read.inputs.at("train").is_absolute());
  EXPECT_EQ(core::read_text(read.inputs.at("train")), "x");
  EXPECT_EQ(core::read_text(out_ / "stderr.txt"), "noise\n");
}

TEST_F(LocalExecutorTest, CalmsWaitingThreads) {
  make("echo \"$OMP_WAIT_POLICY $GOMP_SPINCOUNT $OPENBLAS_THREAD_TIMEOUT\" > \"$4/environment\"\n")
      ->run(spec(), out_, {});
  EXPECT_EQ(core::read_text(out_ / "environment"), "passive 100 14\n");
}

TEST_F(LocalExecutorTest, TellsTheJobsOwnError) {
  const Error error =
      failure("echo left > \"$4/left\"; echo 'error: not found: no data in x.h5' >&2; exit 4\n");
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_STREQ(error.what(), "job 'student': no data in x.h5");
  EXPECT_EQ(core::read_text(out_ / "left"), "left\n");
}

TEST_F(LocalExecutorTest, TellsOfASilentFailure) {
  EXPECT_THAT(failure("exit 7\n").what(), HasSubstr("exit code 7"));
  EXPECT_THAT(failure("exit 7\n").what(), HasSubstr("stderr.txt"));
}

TEST_F(LocalExecutorTest, TellsOfAKill) {
  const Error error = failure("echo 'error: io: old' >&2; kill -9 $$\n");
  EXPECT_EQ(error.kind(), ErrorKind::Internal);
  EXPECT_THAT(error.what(), HasSubstr("signal 9 (out of memory?)"));
}

TEST_F(LocalExecutorTest, AnOldErrorIsNotTakenForThisOne) {
  failure("echo 'error: io: old' >&2; exit 1\n");
  EXPECT_THAT(failure("exit 7\n").what(), HasSubstr("exit code 7"));
}

TEST_F(LocalExecutorTest, AMissingTrainerIsToldAtOnce) {
  try {
    make_local_executor(folder_.path() / "absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("absent"));
  }
}

TEST_F(LocalExecutorTest, TheHashIsThatOfTheProgram) {
  const auto executor = make("exit 0\n");
  EXPECT_EQ(executor->trainer_hash(), core::sha256("#!/bin/sh\nexit 0\n"));
  EXPECT_NE(make("exit 1\n")->trainer_hash(), executor->trainer_hash());
}

constexpr const char* kTellRank =
    "echo \"$RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE $MASTER_ADDR\" > \"$4/seen.$RANK\"\n"
    "echo $MASTER_PORT > \"$4/port.$RANK\"; echo \"of $RANK\" >&2\n"
    "echo '{\"progress\": {\"phase\": \"epoch 1\", \"done\": '$RANK', \"total\": 9}}'\n";

TEST_F(LocalExecutorTest, StartsRanksThatKnowWhoTheyAre) {
  const auto executor = make(kTellRank, {.ranks = 3});
  std::vector<int64_t> heard;
  executor->run(spec(), out_, [&](const JobProgress& p) { heard.push_back(p.done); });
  for (const std::string rank : {"0", "1", "2"}) {
    EXPECT_EQ(core::read_text(out_ / ("seen." + rank)), rank + "/3 " + rank + "/3 127.0.0.1\n");
    EXPECT_EQ(core::read_text(out_ / ("port." + rank)), core::read_text(out_ / "port.0"));
  }
  EXPECT_EQ(heard, std::vector<int64_t>{0}) << "rank 0 alone reports progress";
  EXPECT_EQ(core::read_text(out_ / "stderr.txt"), "of 0\n");
  EXPECT_EQ(core::read_text(out_ / "stderr.2.txt"), "of 2\n");
  EXPECT_NE(executor->trainer_hash(), make(kTellRank)->trainer_hash());
}

TEST_F(LocalExecutorTest, OnlyTrainingIsSharedByRanks) {
  JobSpec prune = spec();
  prune.kind = "prune";
  make(kTellRank, {.ranks = 3})->run(prune, out_, {});
  EXPECT_EQ(core::read_text(out_ / "seen.0").substr(0, 3), "0/1");
  EXPECT_FALSE(std::filesystem::exists(out_ / "seen.1"));
}

TEST_F(LocalExecutorTest, AJobIsNoRankOfTheLauncherThatStartedUs) {
  ::setenv("RANK", "3", 1);
  ::setenv("WORLD_SIZE", "4", 1);
  make(kTellRank)->run(spec(), out_, {});
  ::unsetenv("RANK");
  ::unsetenv("WORLD_SIZE");
  EXPECT_EQ(core::read_text(out_ / "seen.0").substr(0, 3), "0/1");
}

TEST_F(LocalExecutorTest, TheFirstRankThatFailsEndsTheOthersAndIsNamed) {
  const Error told =
      failure("[ $RANK = 1 ] && { echo 'error: numeric: no number' >&2; exit 8; }\nexec sleep 60\n",
              {.ranks = 3});
  EXPECT_EQ(told.kind(), ErrorKind::Numeric);
  EXPECT_STREQ(told.what(), "job 'student', rank 1 of 3: no number");
  const Error killed = failure("[ $RANK = 2 ] && kill -9 $$\nexec sleep 60\n", {.ranks = 3});
  EXPECT_EQ(killed.kind(), ErrorKind::Internal);
  EXPECT_THAT(killed.what(), HasSubstr("rank 2 of 3 was ended by signal 9"));
  EXPECT_THAT(killed.what(), HasSubstr("stderr.2.txt"));
}

TEST(Launch, IsLocalWithANumberOfRanks) {
  EXPECT_EQ(parse_launch("local").ranks, 1);
  EXPECT_EQ(parse_launch("local:4").ranks, 4);
  for (const char* wrong : {"", "local:", "local:0", "local:-1", "local:2x", "local4", "slurm:2"}) {
    EXPECT_THROW(parse_launch(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace coppice::jobs
