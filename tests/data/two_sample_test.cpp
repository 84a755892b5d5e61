#include "data/two_sample.h"

#include <cmath>

#include <gtest/gtest.h>

#include "data/reference/two_sample.h"

namespace coppice::data {
namespace {

std::vector<double> sines(int count, double frequency, double shift) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    values.push_back(std::sin(frequency * i) + shift);
  }
  return values;
}

TEST(TwoSample, AgreesWithSciPy) {
  for (const auto& reference : test::kTwoSampleCases) {
    const auto before = sines(reference.n, 1, 0);
    const auto after = sines(reference.m, 1.3, reference.shift);
    const KolmogorovSmirnov result = kolmogorov_smirnov(before, after);
    EXPECT_NEAR(result.distance, reference.distance, 1e-12);
    EXPECT_NEAR(result.p_value, reference.p_value, 1e-9);
    EXPECT_NEAR(population_stability(before, after, 10), reference.psi, 1e-9);
  }
}

TEST(TwoSample, FindsNoDifferenceBetweenEqualSamples) {
  const std::vector<double> ties = {1, 1, 1, 2, 2, 5};
  EXPECT_EQ(kolmogorov_smirnov(ties, ties).distance, 0);
  EXPECT_EQ(kolmogorov_smirnov(ties, ties).p_value, 1);
  EXPECT_EQ(population_stability(ties, ties, 4), 0);
}

TEST(TwoSample, IsLargestWhereNothingOverlaps) {
  const auto before = sines(100, 1, 0);
  const auto after = sines(100, 1, 9);
  EXPECT_EQ(kolmogorov_smirnov(before, after).distance, 1);
  EXPECT_LT(kolmogorov_smirnov(before, after).p_value, 1e-40);
  EXPECT_GT(population_stability(before, after, 10), 5);
}

TEST(TwoSample, TheIndexIsThatOfTheFormula) {
  const double expected = (0.2 - 0.5) * std::log(0.2 / 0.5) + (0.8 - 0.5) * std::log(0.8 / 0.5);
  EXPECT_NEAR(population_stability(std::vector{0.5, 0.5}, std::vector{0.2, 0.8}), expected, 1e-15);
}

}  // namespace
}  // namespace coppice::data
