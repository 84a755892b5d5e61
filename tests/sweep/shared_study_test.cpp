#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/files.h"
#include "sweep/study.h"

namespace coppice::sweep {
namespace {

class SharedStudyTest : public ::testing::Test {
 protected:
  SharedStudyTest() {
    options_.parameters = {{"a", {"0", "1", "2", "3", "4", "5"}, {}, false, false},
                           {"b", {"0", "1", "2", "3"}, {}, false, false}};
  }

  void expect_complete() {
    const Study study(file_, options_, 1);
    EXPECT_TRUE(study.finished());
    const auto trials = study.trials();
    ASSERT_EQ(trials.size(), 24u);
    std::set<Assignment> assignments;
    for (size_t i = 0; i < trials.size(); ++i) {
      EXPECT_EQ(trials[i].number, static_cast<int64_t>(i));
      EXPECT_EQ(trials[i].state, Trial::State::Finished);
      assignments.insert(trials[i].assignment);
    }
    EXPECT_EQ(assignments.size(), 24u);
  }

  core::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "study.db";
  StudyOptions options_;
};

TEST_F(SharedStudyTest, FourThreadsTakeEachTrialOnce) {
  std::mutex mutex;
  std::vector<int64_t> taken;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Study study(file_, options_, 1);  // all make the file at once
      while (const auto trial = study.ask("worker " + std::to_string(t))) {
        study.tell(trial->number, {{"accuracy", 0.5}}, "");
        const std::scoped_lock lock(mutex);
        taken.push_back(trial->number);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(taken.size(), 24u);
  EXPECT_EQ(std::set<int64_t>(taken.begin(), taken.end()).size(), 24u);
  expect_complete();
}

/// Each process leaves a folder per trial that it took; making it fails when another was there
/// first.
TEST_F(SharedStudyTest, ProcessesTakeEachTrialOnceAndOneMayDie) {
  constexpr std::chrono::milliseconds kLease{300};
  const core::SystemClock clock;
  const pid_t victim = ::fork();
  ASSERT_GE(victim, 0);
  if (victim == 0) {
    Study(file_, options_, 1, clock, kLease).ask("victim");
    ::kill(::getpid(), SIGKILL);  // with a trial in its hands
  }
  ::waitpid(victim, nullptr, 0);
  EXPECT_EQ(Study(file_, options_, 1).trials().size(), 1u);

  std::vector<pid_t> children;
  for (int p = 0; p < 4; ++p) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Study study(file_, options_, 1, clock, kLease);
      while (!study.finished()) {
        const auto trial = study.ask("process " + std::to_string(p));
        if (!trial) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          continue;
        }
        const auto mark = folder_.path() / std::to_string(trial->number);
        const bool first = std::filesystem::create_directory(mark);
        study.tell(trial->number, {{"accuracy", first ? 1.0 : 0.0}}, "");
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  expect_complete();
  for (const Trial& trial : Study(file_, options_, 1).trials()) {
    EXPECT_EQ(trial.objective, 1.0) << "trial " << trial.number << " was given out twice";
  }
}

}  // namespace
}  // namespace coppice::sweep
