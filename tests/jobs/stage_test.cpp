#include "jobs/stage.h"

#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "jobs/fake_executor.h"

namespace coppice::jobs {
namespace {

namespace fs = std::filesystem;
using core::Error;

class StageTest : public ::testing::Test {
 protected:
  JobSpec spec() {
    JobSpec spec;
    spec.kind = "train";
    spec.name = "student";
    spec.options = "epochs: 3";
    spec.inputs["train"] = input_;
    return spec;
  }

  void SetUp() override { core::write_file(input_, "images"); }

  core::TemporaryFolder folder_;
  fs::path input_ = folder_.path() / "train.h5";
  fs::path root_ = folder_.path() / "stages";
  StageCache cache_{root_};
};

TEST_F(StageTest, IsRunOnceAndThenFound) {
  FakeExecutor executor;
  const StageResult first = cache_.run(executor, spec());
  EXPECT_FALSE(first.cached);
  EXPECT_EQ(first.folder, root_ / ("student-" + stage_key(spec(), "trainer-1").substr(0, 16)));
  const StageResult second = StageCache(root_).run(executor, spec());
  EXPECT_TRUE(second.cached);
  EXPECT_EQ(second.folder, first.folder);
  EXPECT_EQ(second.seconds, first.seconds);
  EXPECT_EQ(executor.runs, 1);
}

TEST_F(StageTest, PassesProgressOn) {
  FakeExecutor executor;
  std::string phase;
  cache_.run(executor, spec(), [&](const JobProgress& progress) { phase = progress.phase; });
  EXPECT_EQ(phase, "epoch 1/1");
}

TEST_F(StageTest, ChangedInputOrTrainerRunsAgain) {
  FakeExecutor executor;
  cache_.run(executor, spec());
  core::write_file(input_, "other images");
  EXPECT_FALSE(cache_.run(executor, spec()).cached);
  executor.hash = "trainer-2";
  EXPECT_FALSE(cache_.run(executor, spec()).cached);
  EXPECT_EQ(executor.runs, 3);
}

TEST_F(StageTest, AlteredOutputsRunAgainFromNothing) {
  bool clean = false;
  FakeExecutor executor([&](const JobSpec&, const fs::path& folder) {
    clean = !fs::exists(folder / "model.txt") && !fs::exists(folder / "deep");
    fs::create_directories(folder / "deep");
    core::write_file(folder / "model.txt", "model");
    core::write_file(folder / "deep" / "more.txt", "more");
  });
  const fs::path folder = cache_.run(executor, spec()).folder;
  core::write_file(folder / "deep" / "more.txt", "less");
  EXPECT_FALSE(cache_.run(executor, spec()).cached);
  EXPECT_TRUE(clean);
  EXPECT_EQ(core::read_text(folder / "deep" / "more.txt"), "more");
  fs::remove(folder / "model.txt");
  EXPECT_FALSE(cache_.run(executor, spec()).cached);
  EXPECT_TRUE(cache_.run(executor, spec()).cached);
  EXPECT_EQ(executor.runs, 3);
}

TEST_F(StageTest, WhatIsNoOutputMayChange) {
  FakeExecutor executor;
  const fs::path folder = cache_.run(executor, spec()).folder;
  core::write_file(folder / "stderr.txt", "x");
  core::write_file(folder / "note of the user", "x");
  EXPECT_TRUE(cache_.run(executor, spec()).cached);
}

TEST_F(StageTest, ADamagedDoneFileRunsAgain) {
  FakeExecutor executor;
  const fs::path done = cache_.run(executor, spec()).folder / "done.json";
  const std::string text = core::read_text(done);
  int runs = 1;
  for (const std::string& damaged : {std::string(),
                                     text.substr(0, text.size() / 2),
                                     std::string("[]"),
                                     std::string("{\"key\": \"x\"}"),
                                     std::string("{\"outputs\": 3}")}) {
    core::write_file(done, damaged);
    EXPECT_FALSE(cache_.run(executor, spec()).cached) << damaged;
    EXPECT_EQ(executor.runs, ++runs);
  }
}

TEST_F(StageTest, AFailedJobIsNotFinishedAndGoesOnInItsFolder) {
  FakeExecutor executor([&](const JobSpec&, const fs::path& folder) {
    if (!fs::exists(folder / "checkpoint.h5")) {
      core::write_file(folder / "checkpoint.h5", "half");
      throw Error(core::ErrorKind::Interrupted, "interrupted");
    }
    core::write_file(folder / "model.txt",
                     core::read_text(folder / "checkpoint.h5") + " and whole");
  });
  EXPECT_THROW(cache_.run(executor, spec()), Error);
  const StageResult result = cache_.run(executor, spec());
  EXPECT_FALSE(result.cached);
  EXPECT_EQ(core::read_text(result.folder / "model.txt"), "half and whole");
}

TEST_F(StageTest, AKilledProcessLeavesAnUnfinishedStageAndNoLock) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    FakeExecutor executor([&](const JobSpec&, const fs::path& folder) {
      core::write_file(folder / "checkpoint.h5", "half");
      ::kill(::getpid(), SIGKILL);
    });
    StageCache(root_).run(executor, spec());
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  bool found = false;
  FakeExecutor executor([&](const JobSpec&, const fs::path& folder) {
    found = fs::exists(folder / "checkpoint.h5");
    core::write_file(folder / "model.txt", "whole");
  });
  EXPECT_FALSE(cache_.run(executor, spec()).cached);
  EXPECT_TRUE(found);
}

TEST_F(StageTest, FreshRunsEverythingOnceMore) {
  bool clean = false;
  FakeExecutor executor([&](const JobSpec&, const fs::path& folder) {
    clean = !fs::exists(folder / "model.txt");
    core::write_file(folder / "model.txt", "model");
  });
  cache_.run(executor, spec());
  EXPECT_FALSE(StageCache(root_, true).run(executor, spec()).cached);
  EXPECT_TRUE(clean);
  EXPECT_TRUE(cache_.run(executor, spec()).cached);
}

TEST_F(StageTest, TwoAtOnceRunItOnce) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  FakeExecutor executor([&](const JobSpec&, const fs::path& folder) {
    most = std::max(most.load(), ++inside);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    core::write_file(folder / "model.txt", "model");
    --inside;
  });
  std::atomic<int> cached = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { cached += StageCache(root_).run(executor, spec()).cached ? 1 : 0; });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(executor.runs, 1);
  EXPECT_EQ(most, 1);
  EXPECT_EQ(cached, 2);
}

TEST_F(StageTest, ANameThatIsNoFolderIsRefused) {
  FakeExecutor executor;
  for (const char* name : {"", "a/b", "..", ".hidden", "-x", "a b", "ü"}) {
    JobSpec odd = spec();
    odd.name = name;
    EXPECT_THROW(cache_.run(executor, odd), Error) << name;
  }
  EXPECT_EQ(executor.runs, 0);
}

}  // namespace
}  // namespace coppice::jobs
