#include "jobs/lease.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/files.h"

namespace coppice::jobs {
namespace {

using std::chrono::seconds;

class LeasesTest : public ::testing::Test {
 protected:
  core::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "leases.db";
  core::VirtualClock clock_{core::from_millis(1'000'000)};
};

TEST_F(LeasesTest, OneHolderAtATime) {
  Leases first(file_, clock_);
  Leases second(file_, clock_);
  EXPECT_TRUE(first.acquire("trainer", "a", seconds(10)));
  EXPECT_FALSE(second.acquire("trainer", "b", seconds(10)));
  EXPECT_TRUE(second.acquire("other", "b", seconds(10)));
}

TEST_F(LeasesTest, RunsOut) {
  Leases leases(file_, clock_);
  EXPECT_TRUE(leases.acquire("trainer", "a", seconds(10)));
  clock_.advance(std::chrono::milliseconds(9'999));
  EXPECT_FALSE(leases.acquire("trainer", "b", seconds(10)));
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(leases.acquire("trainer", "b", seconds(10)));
  EXPECT_FALSE(leases.acquire("trainer", "a", seconds(10)));
}

TEST_F(LeasesTest, AcquiringAgainProlongs) {
  Leases leases(file_, clock_);
  EXPECT_TRUE(leases.acquire("trainer", "a", seconds(10)));
  clock_.advance(seconds(8));
  EXPECT_TRUE(leases.acquire("trainer", "a", seconds(10)));
  clock_.advance(seconds(8));
  EXPECT_FALSE(leases.acquire("trainer", "b", seconds(10)));
}

TEST_F(LeasesTest, OnlyTheHolderReleases) {
  Leases leases(file_, clock_);
  EXPECT_TRUE(leases.acquire("trainer", "a", seconds(10)));
  leases.release("trainer", "b");
  EXPECT_FALSE(leases.acquire("trainer", "b", seconds(10)));
  leases.release("trainer", "a");
  EXPECT_TRUE(leases.acquire("trainer", "b", seconds(10)));
}

TEST_F(LeasesTest, OfManyThreadsOneWins) {
  std::atomic<int> winners = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Leases leases(file_, clock_);
      winners += leases.acquire("trainer", std::to_string(i), seconds(10)) ? 1 : 0;
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(winners, 1);
}

}  // namespace
}  // namespace coppice::jobs
