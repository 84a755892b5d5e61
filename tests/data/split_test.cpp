#include "data/split.h"

#include <algorithm>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StratifiedSplit, GivesEveryPartExactlyItsClassShares) {
  const DatasetPtr dataset = test::with_counts({600, 300, 100});
  const auto parts = stratified_split(*dataset, {100, 50, 600}, core::Rng(1));
  EXPECT_THAT(test::counts_of(dataset, parts[0]), ElementsAre(60, 30, 10));
  EXPECT_THAT(test::counts_of(dataset, parts[1]), ElementsAre(30, 15, 5));
  EXPECT_THAT(test::counts_of(dataset, parts[2]), ElementsAre(360, 180, 60));
}

TEST(StratifiedSplit, RoundsSharesByLargestRemainders) {
  const DatasetPtr dataset = test::with_counts({50, 33, 17});
  // 11 x 0.50, 0.33, 0.17 = 5.5, 3.63, 1.87: the two units left go to the second and third class.
  const auto parts = stratified_split(*dataset, {11}, core::Rng(1));
  EXPECT_THAT(test::counts_of(dataset, parts[0]), ElementsAre(5, 4, 2));
}

TEST(StratifiedSplit, PartsAreDisjointAndMayTakeEverything) {
  const DatasetPtr dataset = test::with_counts({7, 5, 1});
  const auto parts = stratified_split(*dataset, {1, 1, 1, 3, 4, 3}, core::Rng(5));
  std::multiset<int64_t> all;
  for (const auto& part : parts) {
    all.insert(part.begin(), part.end());
  }
  EXPECT_EQ(all.size(), 13U);
  EXPECT_EQ(std::set<int64_t>(all.begin(), all.end()).size(), 13U);
  EXPECT_THAT(std::vector<size_t>({parts[0].size(), parts[3].size(), parts[4].size()}),
              ElementsAre(1, 3, 4));
}

TEST(StratifiedSplit, IsDecidedByTheSeedAndInRandomOrder) {
  const DatasetPtr dataset = test::with_counts({100, 100});
  const auto first = stratified_split(*dataset, {80}, core::Rng(1));
  EXPECT_EQ(first, stratified_split(*dataset, {80}, core::Rng(1)));
  EXPECT_NE(first, stratified_split(*dataset, {80}, core::Rng(2)));
  EXPECT_FALSE(std::is_sorted(first[0].begin(), first[0].end()));
  int changes = 0;
  for (size_t i = 1; i < first[0].size(); ++i) {
    changes += dataset->label(first[0][i]) != dataset->label(first[0][i - 1]) ? 1 : 0;
  }
  EXPECT_GT(changes, 20);  // one class after the other would be 1
}

TEST(StratifiedSplit, TreatsUnknownLabelsAsAClassOfTheirOwn) {
  std::vector<int64_t> labels(40, -1);
  std::fill(labels.begin(), labels.begin() + 20, 0);
  const DatasetPtr dataset =
      make_memory_dataset(test::schema_of({1}, 1), test::random_bytes(40, 1), labels);
  const auto parts = stratified_split(*dataset, {10}, core::Rng(1));
  EXPECT_THAT(test::counts_of(dataset, parts[0]), ElementsAre(5));
}

TEST(StratifiedSplit, RefusesPartsThatAreEmptyOrTooLarge) {
  const DatasetPtr dataset = test::with_counts({5, 5});
  EXPECT_ERROR(stratified_split(*dataset, {6, 5}, core::Rng(1)),
               InvalidArgument,
               HasSubstr("6 + 5 samples: there are 10"));
  EXPECT_ERROR(stratified_split(*dataset, {5, 0}, core::Rng(1)),
               InvalidArgument,
               HasSubstr("part 2 of a split would have 0 samples"));
  EXPECT_ERROR(stratified_split(*dataset, {1, std::numeric_limits<int64_t>::max()}, core::Rng(1)),
               InvalidArgument,
               HasSubstr("there are 10"));
}

TEST(WithClasses, FindsTheirIndices) {
  EXPECT_THAT(with_classes(*test::six_images(), {0, 1}), ElementsAre(0, 1, 5));
  EXPECT_THAT(with_classes(*test::six_images(), {}), ElementsAre());
}

}  // namespace
}  // namespace coppice::data
