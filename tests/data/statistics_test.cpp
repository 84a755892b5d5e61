#include "data/statistics.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Statistics, AreThoseOfEachChannel) {
  // Two samples of two channels of two pixels.
  const std::vector<float> values = {1, 3, 10, 10, 5, 7, 30, 30};
  std::vector<std::byte> bytes;
  for (const float value : values) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  const DatasetPtr u8 = make_memory_dataset(test::schema_of({2, 1, 2}, 2), bytes, {1, 1});
  const DatasetPtr f32 = make_memory_dataset(
      test::schema_of({2, 1, 2}, 2, ElementType::F32), test::bytes_of(values), {1, 1});
  for (const DatasetPtr& dataset : {u8, f32}) {
    const Statistics statistics = compute_statistics(*dataset);
    EXPECT_EQ(statistics.samples, 2);
    EXPECT_THAT(statistics.class_counts, ElementsAre(0, 2));
    EXPECT_THAT(statistics.mean, ElementsAre(DoubleEq(4), DoubleEq(20)));
    EXPECT_THAT(statistics.std, ElementsAre(DoubleNear(std::sqrt(5.0), 1e-12), DoubleEq(10)));
    EXPECT_EQ(statistics.min, 1);
    EXPECT_EQ(statistics.max, 30);
  }
}

TEST(Statistics, AreThoseOfEachFeature) {
  const DatasetPtr dataset = make_memory_dataset(
      test::schema_of({3}, 1, ElementType::F32), test::bytes_of({1, 2, 3, -1, 4, 3}), {0, -1});
  const Statistics statistics = compute_statistics(*dataset);
  EXPECT_THAT(statistics.mean, ElementsAre(0, 3, 3));
  EXPECT_THAT(statistics.std, ElementsAre(1, 1, 0));
  EXPECT_THAT(statistics.class_counts, ElementsAre(1));
}

TEST(Statistics, SurviveFloatsFarFromZero) {
  const DatasetPtr dataset = make_memory_dataset(
      test::schema_of({1}, 1, ElementType::F32), test::bytes_of({1.0e7F, 1.0e7F + 2.0F}), {0, 0});
  EXPECT_THAT(compute_statistics(*dataset).std, ElementsAre(DoubleEq(1)));
}

TEST(Statistics, AreExactForImagesWhoseSquaresOverflow32Bits) {
  const int64_t pixels = 70'000;
  const DatasetPtr dataset = make_memory_dataset(
      test::schema_of({1, 1, pixels}, 1), std::vector<std::byte>(70'000, std::byte{255}), {0});
  EXPECT_THAT(compute_statistics(*dataset).mean, ElementsAre(255));
  EXPECT_THAT(compute_statistics(*dataset).std, ElementsAre(0));
}

TEST(Statistics, RefuseEmptyAndNonFiniteDataNamingTheSample) {
  const Schema schema = test::schema_of({2}, 1, ElementType::F32);
  EXPECT_ERROR(compute_statistics(*make_memory_dataset(schema, {}, {})),
               InvalidArgument,
               HasSubstr("empty"));
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    const DatasetPtr dataset =
        make_memory_dataset(schema, test::bytes_of({1, 2, 3, 4, 5, bad}), {0, 0, 0});
    EXPECT_ERROR(compute_statistics(*dataset), InvalidArgument, HasSubstr("sample 2: its value 1"));
  }
}

}  // namespace
}  // namespace coppice::data
