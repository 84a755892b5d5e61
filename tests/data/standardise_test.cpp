#include "data/standardise.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// 1000 windows [2, 3] far from zero: the second channel's deviation is a millionth of its mean.
std::vector<float> far_windows() {
  core::Rng rng(4);
  std::vector<float> values;
  for (int i = 0; i < 6000; ++i) {
    const bool second = i % 6 >= 3;
    values.push_back(static_cast<float>(second ? 1e6 + rng.normal() : -3 + 2 * rng.normal()));
  }
  return values;
}

struct Reference {
  double mean;
  double std;
};

/// Two passes in extended precision over every value for which `in_group` holds.
template <class InGroup>
Reference reference(const std::vector<float>& values, const InGroup& in_group) {
  long double sum = 0;
  long double count = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += in_group(i) ? static_cast<long double>(values[i]) : 0;
    count += in_group(i) ? 1 : 0;
  }
  long double squares = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const long double difference = static_cast<long double>(values[i]) - sum / count;
    squares += in_group(i) ? difference * difference : 0;
  }
  return {static_cast<double>(sum / count), static_cast<double>(std::sqrt(squares / count))};
}

DatasetPtr windows() {
  return make_memory_dataset(test::schema_of({2, 3}, 1, ElementType::F32),
                             test::bytes_of(far_windows()),
                             std::vector<int64_t>(1000));
}

TEST(Standardisation, IsThatOfTheValuesInEveryScope) {
  const std::vector<float> values = far_windows();
  const auto expect_near = [](const Reference& expected, double mean, double deviation) {
    EXPECT_NEAR(mean, expected.mean, 1e-12 * std::abs(expected.mean));
    EXPECT_NEAR(deviation, expected.std, 1e-9 * expected.std);
  };
  const Standardisation channels = fit_standardisation(*windows());
  ASSERT_THAT(channels.mean, SizeIs(2));
  for (size_t c = 0; c < 2; ++c) {
    expect_near(reference(values, [&](size_t i) { return i % 6 / 3 == c; }),
                channels.mean[c],
                channels.std[c]);
  }
  const Standardisation elements =
      fit_standardisation(*windows(), {.scope = StandardiseScope::Element});
  ASSERT_THAT(elements.mean, SizeIs(6));
  expect_near(
      reference(values, [](size_t i) { return i % 6 == 5; }), elements.mean[5], elements.std[5]);
  const Standardisation all = fit_standardisation(*windows(), {.scope = StandardiseScope::All});
  ASSERT_THAT(all.mean, SizeIs(1));
  expect_near(reference(values, [](size_t) { return true; }), all.mean[0], all.std[0]);
  EXPECT_EQ(all.samples, 1000);
}

TEST(Standardisation, OfBytesIsInTheirUnits) {
  const DatasetPtr dataset =
      make_memory_dataset(test::schema_of({1, 1, 2}, 1),
                          {std::byte{0}, std::byte{10}, std::byte{20}, std::byte{250}},
                          {0, 0});
  const Standardisation fitted = fit_standardisation(*dataset);
  EXPECT_THAT(fitted.mean, ElementsAre(70));
  EXPECT_NEAR(fitted.std[0], std::sqrt((4900.0 + 3600 + 2500 + 32400) / 4), 1e-12);
}

TEST(Standardisation, LeavesTheScaleOfConstantFeatures) {
  const DatasetPtr dataset = make_memory_dataset(
      test::schema_of({2}, 1, ElementType::F32), test::bytes_of({5, 1, 5, 3}), {0, 0});
  const Standardisation fitted = fit_standardisation(*dataset);
  EXPECT_THAT(fitted.mean, ElementsAre(5, 2));
  EXPECT_THAT(fitted.std, ElementsAre(1, 1));
  EXPECT_THAT(fit_standardisation(*dataset, {.least_std = 1.5}).std, ElementsAre(1, 1));
}

TEST(Standardisation, SeesTheTrainingPartAlone) {
  const DatasetPtr dataset = windows();
  const Standardisation before = fit_standardisation(*make_subset(dataset, {0, 1, 2}));
  EXPECT_EQ(before.samples, 3);
  EXPECT_NE(before.mean, fit_standardisation(*dataset).mean);
}

TEST(Standardisation, RefusesNothingAndNaN) {
  const DatasetPtr dataset = windows();
  EXPECT_ERROR(
      fit_standardisation(*make_subset(dataset, {})), InvalidArgument, HasSubstr("at least one"));
  std::vector<float> values = far_windows();
  values[6 * 700 + 2] = std::nanf("");
  const DatasetPtr broken =
      make_memory_dataset(dataset->schema(), test::bytes_of(values), std::vector<int64_t>(1000));
  EXPECT_ERROR(
      fit_standardisation(*broken), InvalidArgument, HasSubstr("sample 700: its value 2 is nan"));
}

}  // namespace
}  // namespace coppice::data
