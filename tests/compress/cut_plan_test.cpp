#include "compress/cut_plan.h"

#include <numeric>

#include <gmock/gmock.h>

#include "compress/criteria.h"

namespace coppice::compress {

namespace {

using ::testing::ElementsAre;

/// A limit for each width, as the options set it.
std::vector<GroupLimit> widths(const std::vector<int64_t>& channels, const PruneOptions& options) {
  std::vector<GroupLimit> limits;
  for (const int64_t c : channels) {
    ChannelGroup group;
    group.channels = c;
    limits.push_back(limit_of(group, options.max_share_per_group, options));
  }
  return limits;
}

int64_t least_kept(int64_t channels, const PruneOptions& options) {
  return widths({channels}, options)[0].least;
}

TEST(CutPlan, RanksGloballyAfterNormalisingEachGroup) {
  // Group 1 has a hundred times the scale of group 0; relative to their means, the order is 0:a,
  // 1:a, 1:b, 0:b.
  const CutPlan plan(widths({3, 3}, {.max_share_per_group = 0.67, .min_channels = 1}),
                     {{0.1, 0.8, 2.1}, {200, 30, 370}},
                     {});
  EXPECT_EQ(plan.size(), 4);
  EXPECT_THAT(plan.keep(0), ElementsAre(ElementsAre(0, 1, 2), ElementsAre(0, 1, 2)));
  EXPECT_THAT(plan.keep(1), ElementsAre(ElementsAre(1, 2), ElementsAre(0, 1, 2)));
  EXPECT_THAT(plan.keep(2), ElementsAre(ElementsAre(1, 2), ElementsAre(0, 2)));
  EXPECT_THAT(plan.keep(3), ElementsAre(ElementsAre(2), ElementsAre(0, 2)))
      << "0.8 of mean 1 goes before 200 of mean 200";
  EXPECT_THAT(plan.keep(4), ElementsAre(ElementsAre(2), ElementsAre(2)));
}

TEST(CutPlan, RanksComparableScoresAsTheyAre) {
  const CutPlan plan(widths({3, 3}, {.max_share_per_group = 0.67, .min_channels = 1}),
                     {{0.1, 0.8, 2.1}, {200, 30, 370}},
                     {.comparable = true});
  EXPECT_THAT(plan.keep(2), ElementsAre(ElementsAre(2), ElementsAre(0, 1, 2)));
}

TEST(CutPlan, PerLayerEveryGroupLosesTheSameShare) {
  std::vector<double> eight(8);
  std::iota(eight.begin(), eight.end(), 100);
  const CutPlan plan(widths({8, 4}, {.max_share_per_group = 1, .min_channels = 1}),
                     {eight, {0.1, 0.2, 0.3, 0.4}},
                     {.scope = PruneScope::PerLayer});
  for (int64_t count = 0; count <= 9; ++count) {
    const auto kept = plan.keep(count);
    EXPECT_NEAR(
        static_cast<double>(kept[0].size()) / 8, static_cast<double>(kept[1].size()) / 4, 0.25)
        << count;
  }
  EXPECT_THAT(plan.keep(6), ElementsAre(ElementsAre(4, 5, 6, 7), ElementsAre(2, 3)));
}

TEST(CutPlan, LeavesGroupsWithoutScoresWhole) {
  const CutPlan plan(
      widths({4, 4}, {.max_share_per_group = 0.5, .min_channels = 1}), {{}, {4, 3, 2, 1}}, {});
  EXPECT_EQ(plan.size(), 2);
  EXPECT_THAT(plan.keep(2), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(0, 1)));
}

TEST(CutPlan, RoundsWhatIsKeptUp) {
  const PruneOptions options{.max_share_per_group = 1, .min_channels = 1, .round_to = 4};
  std::vector<double> scores(10);
  std::iota(scores.begin(), scores.end(), 1);
  const CutPlan plan(widths({10, 3}, options), {scores, {1, 2, 3}}, {});
  EXPECT_EQ(least_kept(10, options), 4);
  EXPECT_EQ(least_kept(3, options), 1)
      << "a group with fewer channels than the multiple is cut freely";
  for (int64_t count = 0; count <= plan.size(); ++count) {
    const auto kept = std::ssize(plan.keep(count)[0]);
    EXPECT_TRUE(kept == 10 || kept % 4 == 0) << kept;
  }
  EXPECT_EQ(std::ssize(plan.keep(plan.size())[0]), 4);
}

TEST(GroupLimits, LeastKeptObeysEveryCap) {
  EXPECT_EQ(least_kept(16, {.max_share_per_group = 0.75, .min_channels = 1}), 4);
  EXPECT_EQ(least_kept(16, {.max_share_per_group = 0.75, .min_channels = 6}), 6);
  EXPECT_EQ(least_kept(16, {.max_share_per_group = 0, .min_channels = 1}), 16);
  EXPECT_EQ(least_kept(3, {.max_share_per_group = 1, .min_channels = 4}), 3);
  EXPECT_EQ(least_kept(8, {.max_share_per_group = 1, .min_channels = 1}), 1) << "one always stays";
}

TEST(GroupLimits, CountTheOutputsOfAllConvolutionGroups) {
  ChannelGroup group;
  group.channels = 8;
  group.parts = 4;  // 32 outputs
  const GroupLimit limit = limit_of(group, 1, {.min_channels = 10, .round_to = 8});
  EXPECT_EQ(limit.step, 2) << "2 in each of 4 groups are a multiple of 8";
  EXPECT_EQ(limit.least, 4) << "3 x 4 outputs are above 10, rounded up to 16";
}

TEST(WeakestFirst, BreaksTiesByTheIndex) {
  EXPECT_THAT(weakest_first({3, 1, 2, 1}), ElementsAre(1, 3, 2, 0));
}

}  // namespace

}  // namespace coppice::compress
