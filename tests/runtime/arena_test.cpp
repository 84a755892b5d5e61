#include "runtime/arena.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace coppice::runtime {
namespace {

void expect_no_overlap(const std::vector<Lifetime>& lifetimes, const ArenaPlan& plan) {
  for (size_t a = 0; a < lifetimes.size(); ++a) {
    EXPECT_EQ(plan.offsets[a] % kAlignment, 0);
    EXPECT_LE(plan.offsets[a] + lifetimes[a].bytes, plan.bytes);
    for (size_t b = a + 1; b < lifetimes.size(); ++b) {
      const bool together =
          lifetimes[a].first <= lifetimes[b].last && lifetimes[b].first <= lifetimes[a].last;
      const bool apart = plan.offsets[a] + lifetimes[a].bytes <= plan.offsets[b] ||
                         plan.offsets[b] + lifetimes[b].bytes <= plan.offsets[a];
      EXPECT_TRUE(!together || apart) << a << " and " << b;
    }
  }
}

TEST(Arena, AChainNeedsTwoBuffers) {
  std::vector<Lifetime> lifetimes;
  for (int64_t i = 0; i < 10; ++i) {
    lifetimes.push_back({1000, i, i + 1});
  }
  const ArenaPlan plan = plan_arena(lifetimes);
  EXPECT_EQ(plan.bytes, 2048);
  expect_no_overlap(lifetimes, plan);
}

TEST(Arena, ALongLivedBufferStaysApart) {
  const std::vector<Lifetime> lifetimes{{64, 0, 3}, {640, 0, 1}, {640, 2, 3}, {64, 3, 4}};
  const ArenaPlan plan = plan_arena(lifetimes);
  EXPECT_EQ(plan.bytes, 64 + 640 + 64);
  expect_no_overlap(lifetimes, plan);
}

TEST(Arena, RandomLifetimesNeverOverlapAndShare) {
  core::Rng rng(5);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<Lifetime> lifetimes;
    int64_t total = 0;
    for (int64_t i = 0; i < 30; ++i) {
      const int64_t first = rng.below(40);
      lifetimes.push_back({rng.below(5000), first, first + rng.below(6)});
      total += lifetimes.back().bytes;
    }
    const ArenaPlan plan = plan_arena(lifetimes);
    expect_no_overlap(lifetimes, plan);
    EXPECT_LT(plan.bytes, total);
  }
}

TEST(Arena, NothingNeedsNothing) {
  EXPECT_EQ(plan_arena({}).bytes, 0);
}

}  // namespace
}  // namespace coppice::runtime
