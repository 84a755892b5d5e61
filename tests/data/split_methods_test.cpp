#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/expect_error.h"
#include "data/samples.h"
#include "data/split.h"

namespace coppice::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<std::string> devices_of(const std::vector<int64_t>& sizes) {
  std::vector<std::string> devices;
  for (size_t d = 0; d < sizes.size(); ++d) {
    devices.insert(devices.end(), static_cast<size_t>(sizes[d]), "d" + std::to_string(d));
  }
  core::Rng(5).shuffle(std::span(devices));
  return devices;
}

TEST(GroupedSplit, PutsNoGroupInTwoPartsAndLosesNoSample) {
  const auto devices = devices_of({40, 3, 25, 17, 8, 31, 12, 9, 22, 33});
  const auto parts = grouped_split(devices, {0.6, 0.2, 0.2}, core::Rng(1));
  std::map<std::string, std::set<size_t>> seen;
  std::set<int64_t> all;
  for (size_t p = 0; p < parts.size(); ++p) {
    for (const int64_t i : parts[p]) {
      seen[devices[static_cast<size_t>(i)]].insert(p);
      all.insert(i);
    }
  }
  EXPECT_THAT(all, SizeIs(200));
  for (const auto& [device, where] : seen) {
    EXPECT_THAT(where, SizeIs(1)) << device;
  }
  // Largest first into the neediest part leaves no part further off than a small group.
  EXPECT_NEAR(static_cast<double>(parts[0].size()), 120, 12);
  EXPECT_NEAR(static_cast<double>(parts[1].size()), 40, 12);
  EXPECT_NEAR(static_cast<double>(parts[2].size()), 40, 12);
}

TEST(GroupedSplit, DependsOnItsSeedAloneAmongEqualGroups) {
  const auto devices = devices_of(std::vector<int64_t>(12, 5));
  const auto parts = [&](uint64_t seed) {
    return grouped_split(devices, {0.5, 0.5}, core::Rng(seed));
  };
  EXPECT_EQ(parts(1), parts(1));
  EXPECT_NE(parts(1), parts(2));
  EXPECT_THAT(parts(1)[0], SizeIs(30));
}

TEST(GroupedSplit, LeavesNoPartEmptyAndRefusesTooFewGroups) {
  const auto parts = grouped_split({"a", "a", "a", "a", "a", "a", "b"}, {0.5, 0.5}, core::Rng(1));
  EXPECT_THAT(parts[1], SizeIs(1));
  EXPECT_ERROR(grouped_split({"a", "a", "b"}, {0.4, 0.3, 0.3}, core::Rng(1)),
               InvalidArgument,
               HasSubstr("2 groups for 3 parts"));
}

TEST(OrderedSplit, PutsThePastFirst) {
  EXPECT_THAT(ordered_split({}, 5, {0.6, 0.4}),
              ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4)));
  EXPECT_THAT(ordered_split({"10", "9", "-1", "2.5"}, 4, {0.5, 0.5}),
              ElementsAre(ElementsAre(2, 3), ElementsAre(1, 0)))
      << "as numbers";
  EXPECT_THAT(ordered_split({"2024-02-01", "2023-12-31", "2024-01-05"}, 3, {0.67, 0.33}),
              ElementsAre(ElementsAre(1, 2), ElementsAre(0)));
}

TEST(OrderedSplit, KeepsSamplesOfOneTimeTogether) {
  EXPECT_THAT(ordered_split({"1", "2", "2", "2", "3"}, 5, {0.4, 0.6}),
              ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(4)));
  EXPECT_ERROR(
      ordered_split({"1", "1", "1"}, 3, {0.5, 0.5}), InvalidArgument, HasSubstr("would be empty"));
}

TEST(OrderedSplit, LeavesTheRestOutWhereSharesAreLessThanTheWhole) {
  EXPECT_THAT(ordered_split({}, 10, {0.3, 0.2}),
              ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4)));
}

TEST(SplitShares, MustBePositiveAndFit) {
  for (const auto& shares : std::vector<std::vector<double>>{{}, {0, 1}, {0.7, 0.7}, {-0.1}}) {
    EXPECT_THROW(ordered_split({}, 10, shares), core::Error);
  }
  EXPECT_ERROR(ordered_split({}, 10, {0.99, 0.01}), InvalidArgument, HasSubstr("would be empty"));
  const auto parts = ordered_split({}, 10, {0.7, 0.2, 0.1});
  EXPECT_THAT(parts, ElementsAre(SizeIs(7), SizeIs(2), SizeIs(1)));
}

TEST(Split, FollowsItsOptions) {
  const DatasetPtr dataset = test::with_counts({30, 60, 10});
  SplitOptions options = core::read_options<SplitOptions>(core::parse_config_text(
      "{method: stratified, seed: 3, parts: [{name: a, share: 0.5}, {name: b, share: 0.3}]}", "t"));
  const auto parts = split(*dataset, {}, options);
  EXPECT_THAT(test::counts_of(dataset, parts[0]), ElementsAre(15, 30, 5));
  EXPECT_THAT(test::counts_of(dataset, parts[1]), ElementsAre(9, 18, 3));
  options.method = SplitMethod::Grouped;
  options.column = "devise";
  const Columns columns = {{"device", devices_of({50, 30, 20})}};
  EXPECT_ERROR(split(*dataset, columns, options), NotFound, HasSubstr("(did you mean 'device'?)"));
  options.column = "device";
  EXPECT_THAT(split(*dataset, columns, options)[0], SizeIs(50));
  options.method = SplitMethod::Ordered;
  options.column = "";
  EXPECT_EQ(split(*dataset, columns, options)[1].front(), 50);
}

}  // namespace
}  // namespace coppice::data
