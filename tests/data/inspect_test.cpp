#include "data/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/expect_error.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

DatasetPtr vectors(const std::vector<float>& values, std::vector<int64_t> labels, size_t classes) {
  return make_memory_dataset(
      test::schema_of({2}, classes, ElementType::F32), test::bytes_of(values), std::move(labels));
}

TEST(Inspect, FindsNothingInASoundDataSet) {
  const Inspection result = inspect(*vectors({1, 2, 3, 4, 5, 7, 8, 9}, {0, 1, 0, 1}, 2));
  EXPECT_THAT(result.findings, IsEmpty());
  EXPECT_EQ(result.duplicates, 0);
  EXPECT_EQ(result.imbalance, 1);
}

TEST(Inspect, FindsDuplicatesAndThoseThatContradict) {
  const Inspection result = inspect(*vectors({1, 2, 3, 4, 1, 2, 3, 4, 1, 2}, {0, 1, 0, 0, 0}, 2));
  EXPECT_EQ(result.duplicates, 3);
  EXPECT_EQ(result.conflicts, 1);
  EXPECT_THAT(result.first_duplicates, ElementsAre(Pair(0, 2), Pair(1, 3), Pair(0, 4)));
  EXPECT_THAT(result.first_conflicts, ElementsAre(Pair(1, 3)));
  EXPECT_THAT(result.findings, Contains(HasSubstr("1 samples occur again with another label")));
  EXPECT_THAT(result.findings, Contains(HasSubstr("3 samples (60.0 %) occur again: 0 and 2")));
}

TEST(Inspect, ComparesTargetsOfDuplicates) {
  Schema schema;
  schema.task = "regression";
  schema.sample_shape = {1};
  schema.target_names = {"t"};
  const std::vector<std::byte> same(3, std::byte{7});
  const auto dataset = make_memory_dataset(schema, same, {-1, -1, -1}, {1, 1, 2});
  const Inspection result = inspect(*dataset);
  EXPECT_EQ(result.duplicates, 2);
  EXPECT_EQ(result.conflicts, 1);
  EXPECT_EQ(result.unlabelled, 0) << "a regression data set has no classes to know";
}

TEST(Inspect, WeighsClasses) {
  const Inspection result = inspect(*test::with_counts({60, 5, 0, 1}), {.most_duplicates = 1});
  EXPECT_EQ(result.imbalance, 60);
  EXPECT_THAT(result.empty_classes, ElementsAre("class-2"));
  EXPECT_THAT(result.findings,
              ElementsAre(HasSubstr("with another label"),
                          HasSubstr("without a sample: class-2"),
                          HasSubstr("60.0 times")));
  EXPECT_EQ(inspect(*test::six_images()).unlabelled, 1);
}

TEST(Inspect, FindsConstantFeaturesAndValuesOutOfRange) {
  const auto dataset = vectors({0.5F, 2, 0.5F, 0.25F, 0.5F, -1}, {0, 1, 0}, 2);
  const Inspection result = inspect(*dataset, {.check_range = true});
  EXPECT_THAT(result.constant_channels, ElementsAre(0));
  EXPECT_EQ(result.out_of_range, 2);
  EXPECT_EQ(inspect(*dataset).out_of_range, 0);
}

TEST(Inspect, IsPrintedAsTextAndJson) {
  const Inspection result = inspect(*test::with_counts({6, 2}), {.most_duplicates = 1});
  EXPECT_THAT(to_text(result), HasSubstr("8 samples of [1] u8, classification into 2 classes"));
  EXPECT_THAT(to_text(result), HasSubstr("75.00%"));
  const auto node = nlohmann::json::parse(to_json(result));
  EXPECT_EQ(node.at("class_counts"), (std::vector{6, 2}));
  EXPECT_EQ(node.at("imbalance"), 3);
}

}  // namespace
}  // namespace coppice::data
