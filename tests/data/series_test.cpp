#include "data/transforms/series/series.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "data/reference/splines.h"
#include "data/samples.h"
#include "data/transform.h"

namespace coppice::data {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSteps = 128;

Schema windows_schema() {
  return test::schema_of({3, kSteps}, 1, ElementType::F32);
}

/// Three channels that grow in time, each from another height.
std::vector<float> ramps() {
  std::vector<float> values;
  for (int c = 0; c < 3; ++c) {
    for (int t = 0; t < kSteps; ++t) {
      values.push_back(static_cast<float>(100 * (c + 1) + t));
    }
  }
  return values;
}

std::vector<float> changed_window(const std::string& name,
                                  const std::vector<float>& window,
                                  double strength,
                                  uint64_t seed = 1) {
  auto bytes = test::bytes_of(window);
  core::Rng rng(seed);
  transforms().get(name)->apply(bytes, windows_schema(), strength, rng);
  return test::floats_of(bytes);
}

TEST(Spline, IsSciPys) {
  const std::vector<double> knots(std::begin(test::kSplineKnots), std::end(test::kSplineKnots));
  const auto curve = spline_through(knots, 21);
  ASSERT_EQ(curve.size(), 21U);
  for (size_t i = 0; i < curve.size(); ++i) {
    EXPECT_NEAR(curve[i], test::kSplineCurve[i], 1e-12) << i;
  }
}

TEST(Spline, ReproducesCubics) {
  const auto cubic = [](double x) {
    return 0.3 * x * x * x - x * x + 2 * x - 5;
  };
  std::vector<double> knots;
  for (int i = 0; i < 6; ++i) {
    knots.push_back(cubic(i));
  }
  const auto curve = spline_through(knots, 51);
  for (int t = 0; t < 51; ++t) {
    EXPECT_NEAR(curve[static_cast<size_t>(t)], cubic(0.1 * t), 1e-12);
  }
}

TEST(Jitter, AddsNoiseOfTheSigmaAskedFor) {
  double squares = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto noisy = changed_window("jitter", ramps(), 2.5, seed);
    for (size_t i = 0; i < noisy.size(); ++i) {
      squares += std::pow(static_cast<double>(noisy[i] - ramps()[i]), 2);
    }
  }
  EXPECT_NEAR(std::sqrt(squares / (50 * 384)), 2.5, 0.07);
}

TEST(Scaling, MultipliesEachChannelByAFactorOfItsOwn) {
  std::vector<double> factors;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const auto scaled = changed_window("scaling", ramps(), 0.2, seed);
    for (size_t c = 0; c < 3; ++c) {
      const double factor =
          static_cast<double>(scaled[c * 128]) / static_cast<double>(ramps()[c * 128]);
      EXPECT_NEAR(scaled[c * 128 + 77], factor * static_cast<double>(ramps()[c * 128 + 77]), 1e-3);
      factors.push_back(factor);
    }
  }
  const double mean = std::accumulate(factors.begin(), factors.end(), 0.0) / 900;
  double squares = 0;
  for (const double factor : factors) {
    squares += (factor - mean) * (factor - mean);
  }
  EXPECT_NEAR(mean, 1, 5 * 0.2 / 30);
  EXPECT_NEAR(std::sqrt(squares / 900), 0.2, 0.025);
}

TEST(MagnitudeWarp, MultipliesByASmoothCurveAboutOne) {
  const std::vector<float> ones(384, 1);
  const auto curve = changed_window("magnitude_warp", ones, 0.2, 3);
  double largest_bend = 0;
  for (size_t t = 1; t + 1 < 128; ++t) {
    largest_bend = std::max(
        largest_bend, std::abs(static_cast<double>(curve[t - 1] - 2 * curve[t] + curve[t + 1])));
  }
  EXPECT_LT(largest_bend, 0.02) << "neighbours differ smoothly";
  EXPECT_FALSE(std::equal(curve.begin(), curve.begin() + 128, curve.begin() + 128))
      << "each channel has its own";
}

TEST(TimeWarp, KeepsOrderEndsAndTheChannelsTogether) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const auto warped = changed_window("time_warp", ramps(), 0.3, seed);
    EXPECT_NE(warped, ramps());
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_TRUE(std::is_sorted(warped.begin() + static_cast<std::ptrdiff_t>(c * 128),
                                 warped.begin() + static_cast<std::ptrdiff_t>(c * 128 + 128)));
      EXPECT_EQ(warped[c * 128], ramps()[c * 128]);
      EXPECT_NEAR(warped[c * 128 + 127], ramps()[c * 128 + 127], 1e-3);
    }
    for (size_t t = 0; t < 128; ++t) {
      ASSERT_NEAR(warped[t] + 100, warped[128 + t], 1e-3) << "one clock";
    }
  }
}

TEST(Permute, ReordersWholeSegments) {
  const auto permuted = changed_window("permute", ramps(), 4, 5);
  auto sorted = permuted;
  for (auto channel = sorted.begin(); channel != sorted.end(); channel += 128) {
    std::sort(channel, channel + 128);
  }
  EXPECT_EQ(sorted, ramps()) << "nothing is lost";
  int breaks = 0;
  for (size_t t = 1; t < 128; ++t) {
    breaks += permuted[t] == permuted[t - 1] + 1 ? 0 : 1;
    EXPECT_EQ(permuted[t] + 100, permuted[128 + t]);
  }
  EXPECT_GE(breaks, 1);
  EXPECT_LE(breaks, 3);
}

TEST(Permute, MovesEverySegmentNowAndThen) {
  std::set<float> first;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    first.insert(changed_window("permute", ramps(), 2, seed)[0]);
  }
  EXPECT_GT(first.size(), 10U) << "cut at many places";
  EXPECT_TRUE(first.contains(100)) << "sometimes the order stays";
}

TEST(SeriesTransforms, RefuseImagesAndFeatureVectors) {
  for (const char* name : {"jitter", "scaling", "magnitude_warp", "time_warp", "permute"}) {
    for (const auto& shape : std::vector<std::vector<int64_t>>{{16}, {3, 8, 8}}) {
      EXPECT_ERROR(check_transform({name, 1, 1, 1}, test::schema_of(shape, 1)),
                   InvalidArgument,
                   HasSubstr("needs windows [channels, time]"));
    }
    EXPECT_NO_THROW(check_transform({name, 1, 1, 1}, windows_schema()));
  }
  EXPECT_ERROR(check_transform({"rotate", 1, 1, 1}, windows_schema()),
               InvalidArgument,
               HasSubstr("'rotate' needs images [channels, height, width]; a sample is [3, 128]"));
}

}  // namespace
}  // namespace coppice::data
