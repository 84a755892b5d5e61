#include "data/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/expect_error.h"
#include "data/samples.h"
#include "data/transform.h"

namespace coppice::data {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

DatasetPtr bytes_with_labels(const std::vector<int>& values,
                             std::vector<int64_t> labels,
                             size_t classes = 2) {
  std::vector<std::byte> samples;
  for (const int value : values) {
    samples.push_back(static_cast<std::byte>(value));
  }
  return make_memory_dataset(test::schema_of({1}, classes), std::move(samples), std::move(labels));
}

/// `count` vectors of two standard normal features.
DatasetPtr normals(int64_t count, uint64_t seed, double shift_of_second) {
  core::Rng rng(seed);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>(rng.normal()));
    values.push_back(static_cast<float>(rng.normal() + shift_of_second));
  }
  return make_memory_dataset(test::schema_of({2}, 1, ElementType::F32),
                             test::bytes_of(values),
                             std::vector<int64_t>(static_cast<size_t>(count)));
}

TEST(Diff, CountsWhatWasKeptRemovedAddedAndRelabelled) {
  const auto before = bytes_with_labels({1, 2, 2, 3, 4}, {0, 0, 1, 1, 1});
  const auto after = bytes_with_labels({2, 2, 2, 3, 9}, {1, 0, 0, 0, 1});
  const DatasetDifference result = diff(*before, *after);
  EXPECT_EQ(result.kept, 3) << "both twos and the three";
  EXPECT_EQ(result.relabelled, 1) << "the three; the twos agree in another order";
  EXPECT_EQ(result.removed, 2);
  EXPECT_EQ(result.added, 2);
  EXPECT_THAT(result.findings, Contains(HasSubstr("1 kept samples have another label")));
}

TEST(Diff, MatchesClassesByName) {
  const auto before = bytes_with_labels({1, 2, 3, 4}, {0, 0, 0, 1});
  Schema schema = test::schema_of({1}, 3);
  schema.class_names = {"class-1", "class-0", "new"};
  const auto after = make_memory_dataset(
      schema, {std::byte{4}, std::byte{1}, std::byte{8}, std::byte{9}}, {0, 1, 2, 2});
  const DatasetDifference result = diff(*before, *after);
  EXPECT_EQ(result.relabelled, 0);
  ASSERT_EQ(result.classes.size(), 3U);
  EXPECT_EQ(result.classes[0].share_before, 0.75);
  EXPECT_EQ(result.classes[0].share_after, 0.25);
  EXPECT_EQ(result.classes[2].after, 2);
  EXPECT_THAT(result.findings, Contains("class 'new' is new"));
}

TEST(Diff, TellsAShiftFromChance) {
  const DatasetDifference same = diff(*normals(3000, 1, 0), *normals(2000, 2, 0));
  EXPECT_THAT(same.findings, IsEmpty());
  const DatasetDifference shifted =
      diff(*normals(3000, 1, 0), *normals(2000, 2, 0.6), {}, {"gas", "heat"});
  EXPECT_FALSE(shifted.values[0].shifted);
  EXPECT_TRUE(shifted.values[1].shifted);
  EXPECT_NEAR(shifted.values[1].mean_after - shifted.values[1].mean_before, 0.6, 0.1);
  EXPECT_THAT(shifted.findings, ElementsAre(HasSubstr("heat has shifted")));
}

TEST(Diff, SmallSamplesAreNoProof) {
  const DatasetDifference few = diff(*normals(12, 1, 0), *normals(12, 2, 0));
  EXPECT_GT(std::max(few.values[0].psi, few.values[1].psi), 0.1) << "large, but by chance";
  EXPECT_THAT(few.findings, IsEmpty());
}

TEST(Diff, SeesThatImagesBecameDarkerOrFlatter) {
  const Schema schema = test::schema_of({1, 8, 8}, 1);
  const auto images =
      make_memory_dataset(schema, test::random_bytes(64 * 300, 3), std::vector<int64_t>(300));
  const auto flat = make_transformed(images, {{"contrast", 1, 0.8, 0.8}}, 1);
  const DatasetDifference result = diff(*images, *flat);
  EXPECT_EQ(result.values[1].name, "channel 0 std");
  EXPECT_FALSE(result.values[0].shifted);
  EXPECT_TRUE(result.values[1].shifted);
}

TEST(Diff, RefusesWhatCantBeCompared) {
  const auto bytes = bytes_with_labels({1}, {0});
  EXPECT_ERROR(diff(*bytes, *normals(3, 1, 0)), InvalidArgument, HasSubstr("can't be compared"));
  EXPECT_ERROR(diff(*bytes, *make_subset(bytes, {})), InvalidArgument, HasSubstr("empty"));
}

TEST(Diff, IsPrintedAsTextAndJson) {
  const auto before = bytes_with_labels({1, 2, 3, 4}, {0, 0, 0, 1});
  const DatasetDifference result = diff(*before, *make_subset(before, {0, 3}));
  EXPECT_THAT(to_text(result), HasSubstr("samples 4 -> 2: kept 2 (relabelled 0), removed 2"));
  const auto node = nlohmann::json::parse(to_json(result));
  EXPECT_EQ(node.at("removed"), 2);
  EXPECT_EQ(node.at("classes").at(1).at("share_after"), 0.5);
  EXPECT_EQ(node.at("values").at(0).at("name"), "feature 0");
}

}  // namespace
}  // namespace coppice::data
