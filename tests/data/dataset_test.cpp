#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) {
    result.push_back(static_cast<std::byte>(value));
  }
  return result;
}

DatasetPtr numbered(int first, int count) {
  std::vector<std::byte> samples;
  std::vector<int64_t> labels;
  for (int i = first; i < first + count; ++i) {
    samples.push_back(static_cast<std::byte>(i));
    labels.push_back(i % 3);
  }
  return make_memory_dataset(test::schema_of({1}, 3), samples, labels);
}

TEST(Schema, CountsElementsAndBytes) {
  EXPECT_EQ(test::schema_of({3, 4, 5}, 1).sample_bytes(), 60);
  EXPECT_EQ(test::schema_of({3, 4, 5}, 1, ElementType::F32).sample_bytes(), 240);
}

TEST(MemoryDataset, ReadsSamplesLabelsAndIdsInTheOrderAsked) {
  Batch batch;
  const DatasetPtr dataset = numbered(10, 5);
  dataset->read(std::vector<int64_t>{4, 0, 4}, batch);
  EXPECT_EQ(batch.size, 3);
  EXPECT_EQ(batch.samples, bytes({14, 10, 14}));
  EXPECT_THAT(batch.labels, ElementsAre(2, 1, 2));
  EXPECT_THAT(batch.ids, ElementsAre(4, 0, 4));
  dataset->read(std::vector<int64_t>{1}, batch);
  EXPECT_EQ(batch.samples, bytes({11}));
  EXPECT_EQ(batch.size, 1);
}

TEST(MemoryDataset, RefusesWhatDoesNotFitTheSchema) {
  const Schema schema = test::schema_of({1, 2, 2}, 3);
  const auto sample = test::random_bytes(8, 1);
  EXPECT_ERROR(make_memory_dataset(schema, sample, {0}),
               InvalidArgument,
               AllOf(HasSubstr("8 bytes"), HasSubstr("1 labels"), HasSubstr("[1, 2, 2]")));
  EXPECT_ERROR(make_memory_dataset(schema, sample, {0, 3}),
               InvalidArgument,
               HasSubstr("label 3 of sample 1"));
  EXPECT_ERROR(
      make_memory_dataset(schema, sample, {-2, 0}), InvalidArgument, HasSubstr("label -2"));
  EXPECT_NO_THROW(make_memory_dataset(schema, sample, {-1, 2}));
  EXPECT_ERROR(make_memory_dataset(test::schema_of({1, 0, 2}, 3), {}, {}),
               InvalidArgument,
               HasSubstr("[1, 0, 2]"));
}

TEST(MemoryDataset, RefusesIndicesOutOfRange) {
  const DatasetPtr dataset = numbered(0, 4);
  Batch batch;
  EXPECT_ERROR(
      dataset->read(std::vector<int64_t>{0, 4}, batch), InvalidArgument, HasSubstr("sample 4"));
  EXPECT_ERROR(dataset->label(-1), InvalidArgument, HasSubstr("sample -1"));
}

TEST(Subset, MapsIndicesAndKeepsTheIdsOfTheRoot) {
  const DatasetPtr outer = make_subset(make_subset(numbered(0, 10), {9, 7, 5, 3}), {3, 1});
  EXPECT_EQ(outer->size(), 2);
  EXPECT_EQ(outer->label(0), 0);
  const Batch batch = read_all(*outer);
  EXPECT_EQ(batch.samples, bytes({3, 7}));
  EXPECT_THAT(batch.ids, ElementsAre(3, 7));
  EXPECT_ERROR(outer->label(2), InvalidArgument, HasSubstr("sample 2"));
  EXPECT_ERROR(make_subset(outer, {2}), InvalidArgument, HasSubstr("sample 2"));
}

TEST(Concatenation, ReadsAcrossItsPartsInAnyOrder) {
  const DatasetPtr whole = make_concatenation({numbered(0, 3), numbered(50, 2), numbered(100, 4)});
  EXPECT_EQ(whole->size(), 9);
  Batch batch;
  whole->read(std::vector<int64_t>{8, 3, 0, 4, 5}, batch);
  EXPECT_EQ(batch.samples, bytes({103, 50, 0, 51, 100}));
  EXPECT_THAT(batch.labels, ElementsAre(1, 2, 0, 0, 1));
  EXPECT_THAT(batch.ids, ElementsAre(8, 3, 0, 4, 5));
  EXPECT_EQ(whole->label(4), 0);
  EXPECT_ERROR(whole->label(9), InvalidArgument, HasSubstr("sample 9"));
}

TEST(Concatenation, RefusesNothingAndOtherSchemas) {
  EXPECT_ERROR(make_concatenation({}), InvalidArgument, HasSubstr("no data sets"));
  EXPECT_ERROR(make_concatenation({numbered(0, 2), test::six_images()}),
               InvalidArgument,
               HasSubstr("part 2"));
}

TEST(ClassCounts, LeavesOutUnknownLabels) {
  EXPECT_THAT(class_counts(*test::six_images()), ElementsAre(2, 1, 2));
}

}  // namespace
}  // namespace coppice::data
