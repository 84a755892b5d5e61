#include "compress/histogram.h"

#include <limits>

#include <gmock/gmock.h>

#include "calibration_reference.h"
#include "compress/calibrations.h"
#include "compress/qdq.h"
#include "compress/quantise.h"
#include "core/rng.h"

namespace coppice::compress {

namespace {

TEST(Histogram, CountsAbsoluteValuesAndLeavesZerosOut) {
  Histogram histogram(4, 4);
  histogram.add(std::vector<float>{0, 0.5F, -0.5F, 1.5F, -4, 9, 0});
  EXPECT_THAT(histogram.counts(), testing::ElementsAre(2, 1, 0, 2));
  EXPECT_EQ(histogram.total(), 5);
}

TEST(PercentileLimit, InterpolatesWithinABin) {
  Histogram histogram(10, 10);  // ten values in each bin
  for (int bin = 0; bin < 10; ++bin) {
    histogram.add(std::vector<float>(10, static_cast<float>(bin) + 0.5F));
  }
  EXPECT_DOUBLE_EQ(percentile_limit(histogram, 100), 10);
  EXPECT_DOUBLE_EQ(percentile_limit(histogram, 90), 9);
  EXPECT_DOUBLE_EQ(percentile_limit(histogram, 85), 8.5);
  EXPECT_DOUBLE_EQ(percentile_limit(histogram, 10), 1);
}

TEST(PercentileLimit, CutsAnOutlier) {
  Histogram histogram(1000);
  histogram.add(std::vector<float>(9999, 1.0F));
  histogram.add(std::vector<float>{1000});
  EXPECT_LT(percentile_limit(histogram, 99.99), 1.5);
  EXPECT_GT(percentile_limit(histogram, 99.999), 999);
}

TEST(PercentileLimit, OfNothingIsTheWholeRange) {
  EXPECT_DOUBLE_EQ(percentile_limit(Histogram(3), 99), 3);
  EXPECT_DOUBLE_EQ(mse_limit(Histogram(3), 127), 3);
}

/// Mean squared error of quantising the values themselves.
double error_of(const std::vector<float>& values, double limit, double levels) {
  double error = 0;
  for (const double value : values) {
    const double magnitude = std::abs(value);
    const double step = limit / levels;
    const double rounded = std::min(std::round(magnitude / step) * step, limit);
    error += (magnitude - rounded) * (magnitude - rounded);
  }
  return error / static_cast<double>(values.size());
}

TEST(MseLimit, BeatsTheWholeRangeAndTightClipping) {
  core::Rng rng(1);
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(static_cast<float>(rng.normal()));
  }
  values.push_back(40);  // an outlier that stretches the full range
  Histogram histogram(40);
  histogram.add(values);
  const double limit = mse_limit(histogram, 15);
  EXPECT_LT(limit, 40);
  EXPECT_GT(limit, 1);
  const double best = error_of(values, limit, 15);
  EXPECT_LT(best, 0.8 * error_of(values, 40, 15));
  EXPECT_LT(best, 0.8 * error_of(values, 1, 15));
  for (const double factor : {0.9, 1.1}) {
    EXPECT_LT(best, error_of(values, factor * limit, 15)) << factor;
  }
}

TEST(MseLimit, KeepsTheWholeRangeOfEvenlySpreadValues) {
  Histogram histogram(2);
  for (int i = 0; i <= 2048; ++i) {
    histogram.add(std::vector<float>{static_cast<float>(i) / 1024});
  }
  EXPECT_NEAR(mse_limit(histogram, 127), 2, 0.02);
}

/// Counts of 2048 bins, by a rule on whole numbers.
template <class Rule>
Histogram shaped(Rule rule) {
  Histogram histogram(2048);
  for (int64_t bin = 0; bin < 2048; ++bin) {
    histogram.add(
        std::vector<float>(static_cast<size_t>(rule(bin)), static_cast<float>(bin) + 0.5F));
  }
  return histogram;
}

void expect_kept(const Histogram& histogram, const reference::Kept& kept) {
  EXPECT_DOUBLE_EQ(entropy_limit(histogram, 127), std::min(kept.signed_bins + 0.5, 2048.0));
  EXPECT_DOUBLE_EQ(entropy_limit(histogram, 255), std::min(kept.unsigned_bins + 0.5, 2048.0));
}

TEST(EntropyLimit, IsThatOfThePublishedAlgorithm) {
  expect_kept(shaped([](int64_t b) { return 1000000 * 1600 / (1600 + b * b); }),
              reference::kDecaying);
  expect_kept(shaped([](int64_t b) { return (2048 - b) * 7; }), reference::kTriangle);
  expect_kept(
      shaped([](int64_t b) { return (b < 400 ? (400 - b) * 50 : 0) + (b == 2047 ? 3 : 0); }),
      reference::kOutlier);
  expect_kept(shaped([](int64_t b) {
                return std::max<int64_t>(0, 300 - std::abs(b - 200)) * 9 +
                       std::max<int64_t>(0, 60 - std::abs(b - 1500));
              }),
              reference::kTwoHills);
}

TEST(EntropyLimit, OfNothingAndOfOneValueIsTheWholeRange) {
  EXPECT_DOUBLE_EQ(entropy_limit(Histogram(3), 127), 3);
  Histogram constant(3);
  constant.add(std::vector<float>(50, 3.0F));
  EXPECT_DOUBLE_EQ(entropy_limit(constant, 255), 3);
}

TEST(ActivationRange, HasAScaleEvenWhereItIsTiny) {
  EXPECT_FLOAT_EQ((ActivationRange{.is_signed = true, .limit = 2}.scale()), 2.0F / 127);
  EXPECT_GE((ActivationRange{.limit = 1e-44}.scale()), std::numeric_limits<float>::min());
}

TEST(Calibrations, EveryOneGivesABoundWithinTheRange) {
  core::Rng rng(2);
  Histogram histogram(6);
  for (int i = 0; i < 5000; ++i) {
    histogram.add(std::vector<float>{static_cast<float>(rng.normal())});
  }
  for (const std::string& name : calibrations().names()) {
    for (const int64_t levels : {127, 255}) {
      const double limit = calibrations().get(name)(histogram, levels, {});
      EXPECT_GT(limit, 1) << name;
      EXPECT_LE(limit, 6) << name;
    }
  }
}

}  // namespace

}  // namespace coppice::compress
