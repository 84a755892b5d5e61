#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "data/reference/corruptions.h"
#include "data/samples.h"
#include "data/transform.h"
#include "data/transforms/poisson.h"

namespace coppice::data {
namespace {

using ::testing::HasSubstr;

constexpr int kSide = 32;

/// The image of the reference script.
std::vector<float> waves() {
  std::vector<float> values;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        values.push_back(static_cast<float>(
            0.5 + 0.45 * std::sin(0.9 * c + 0.31 * y + 0.43 * x + 0.02 * x * y)));
      }
    }
  }
  return values;
}

Schema rgb(ElementType type = ElementType::F32) {
  return test::schema_of({3, kSide, kSide}, 1, type);
}

std::vector<float> corrupted(const std::string& name,
                             int severity,
                             const std::vector<float>& image,
                             uint64_t seed = 1) {
  auto bytes = test::bytes_of(image);
  core::Rng rng(seed);
  transforms().get("cifar10c_" + name)->apply(bytes, rgb(), severity, rng);
  return test::floats_of(bytes);
}

double mean_square_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum / static_cast<double>(a.size());
}

TEST(Corruptions, AgreeWithNumPyAndSciPyWhereNothingIsDrawn) {
  for (const auto& reference : test::kCorruptionCases) {
    const auto values = corrupted(reference.name, reference.severity, waves());
    for (size_t i = 0; i < 8; ++i) {
      EXPECT_NEAR(values[static_cast<size_t>(test::kCorruptionPicks[i])], reference.pixels[i], 2e-6)
          << reference.name << " " << reference.severity << " pixel " << i;
    }
  }
}

class EveryCorruption : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryCorruption, StaysInTheRangeAndLeavesTheImageAtSeverityZero) {
  EXPECT_EQ(corrupted(GetParam(), 0, waves()), waves());
  for (int severity = 1; severity <= 5; ++severity) {
    const auto values = corrupted(GetParam(), severity, waves());
    EXPECT_NE(values, waves()) << severity;
    EXPECT_GE(*std::min_element(values.begin(), values.end()), 0);
    EXPECT_LE(*std::max_element(values.begin(), values.end()), 1);
  }
}

TEST_P(EveryCorruption, IsDecidedByItsSeed) {
  EXPECT_EQ(corrupted(GetParam(), 3, waves(), 7), corrupted(GetParam(), 3, waves(), 7));
}

TEST_P(EveryCorruption, TreatsBytesAsSharesOfTheirRange) {
  const auto floats = waves();
  std::vector<std::byte> bytes;
  std::vector<float> rounded;
  for (const float value : floats) {
    bytes.push_back(static_cast<std::byte>(std::lround(value * 255)));
    rounded.push_back(static_cast<float>(std::to_integer<int>(bytes.back())) / 255);
  }
  core::Rng rng(5);
  transforms().get("cifar10c_" + GetParam())->apply(bytes, rgb(ElementType::U8), 4, rng);
  const auto expected = corrupted(GetParam(), 4, rounded, 5);
  for (size_t i = 0; i < bytes.size(); ++i) {
    ASSERT_NEAR(std::to_integer<int>(bytes[i]), expected[i] * 255, 0.501) << i;
  }
}

TEST_P(EveryCorruption, TakesImagesThatAreNotSquare) {
  const Schema schema = test::schema_of({3, 9, 14}, 1);
  auto bytes = test::random_bytes(378, 2);
  const auto before = bytes;
  core::Rng rng(5);
  transforms().get("cifar10c_" + GetParam())->apply(bytes, schema, 5, rng);
  EXPECT_NE(bytes, before);
}

INSTANTIATE_TEST_SUITE_P(All,
                         EveryCorruption,
                         ::testing::Values("gaussian_noise",
                                           "shot_noise",
                                           "impulse_noise",
                                           "speckle_noise",
                                           "gaussian_blur",
                                           "defocus_blur",
                                           "glass_blur",
                                           "motion_blur",
                                           "zoom_blur",
                                           "snow",
                                           "fog",
                                           "brightness",
                                           "contrast",
                                           "saturate",
                                           "pixelate",
                                           "jpeg_compression",
                                           "elastic_transform"),
                         [](const auto& test) { return test.param; });

/// Noises are as strong as their parameters say: the standard deviation of the change over a grey
/// image, three channels of 32x32, as a share of the range.
double noise_on_grey(const std::string& name, int severity, float grey) {
  const std::vector<float> image(3072, grey);
  double sum = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    sum += mean_square_difference(corrupted(name, severity, image, seed), image);
  }
  return std::sqrt(sum / 10);
}

TEST(Corruptions, NoisesAreAsStrongAsTheyShould) {
  EXPECT_NEAR(noise_on_grey("gaussian_noise", 1, 0.5F), 0.04, 0.001);
  EXPECT_NEAR(noise_on_grey("gaussian_noise", 5, 0.5F), 0.1, 0.002);
  EXPECT_NEAR(noise_on_grey("shot_noise", 1, 0.5F), std::sqrt(0.5 / 500), 0.001);
  EXPECT_NEAR(noise_on_grey("shot_noise", 5, 0.25F), std::sqrt(0.25 / 50), 0.002);
  EXPECT_NEAR(noise_on_grey("speckle_noise", 5, 0.5F), 0.1, 0.002);
  EXPECT_NEAR(noise_on_grey("speckle_noise", 5, 0.25F), 0.05, 0.001);
  EXPECT_NEAR(noise_on_grey("impulse_noise", 5, 0.5F), std::sqrt(0.07 / 4), 0.004);
}

TEST(Corruptions, ImpulsesAreBlackOrWhiteInEqualNumbers) {
  const std::vector<float> grey(3072, 0.5F);
  std::array<int64_t, 2> counts = {};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto values = corrupted("impulse_noise", 5, grey, seed);
    counts[0] += std::count(values.begin(), values.end(), 0.0F);
    counts[1] += std::count(values.begin(), values.end(), 1.0F);
  }
  EXPECT_NEAR(static_cast<double>(counts[0]), 61440 * 0.035, 5 * std::sqrt(61440 * 0.035));
  EXPECT_NEAR(static_cast<double>(counts[1]), 61440 * 0.035, 5 * std::sqrt(61440 * 0.035));
}

TEST(Corruptions, GlassAndMotionMoveLightButKeepIt) {
  std::vector<float> point(3072);
  point[16 * 32 + 16] = 1;
  for (const char* name : {"glass_blur", "motion_blur"}) {
    for (int severity = 1; severity <= 5; ++severity) {
      const auto values = corrupted(name, severity, point, 3);
      EXPECT_NEAR(std::accumulate(values.begin(), values.end(), 0.0), 1, 1e-5) << name;
    }
  }
}

TEST(Corruptions, MotionBlursAlongOneDirectionWithinAQuarterTurn) {
  std::vector<float> point(3072);
  point[16 * 32 + 16] = 1;
  const auto values = corrupted("motion_blur", 1, point, 9);
  // One-sided: the taps lie to the right of a pixel, so the light goes to the left.
  EXPECT_NEAR(
      values[16 * 32 + 16], 1 / (1 + std::exp(-0.5) + std::exp(-2) + std::exp(-4.5) + 4e-4), 1e-3);
  for (size_t i = 0; i < 1024; ++i) {
    EXPECT_TRUE(values[i] == 0 || i % 32 <= 16) << i;
  }
}

TEST(Corruptions, FogBrightensDarkImagesMostAtTheHighestSeverity) {
  std::vector<float> dark = waves();
  for (float& value : dark) {
    value *= 0.3F;
  }
  dark[0] = 1;  // the brightest pixel sets how far fog is dimmed
  const auto mean = [](const std::vector<float>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
  };
  EXPECT_GT(mean(corrupted("fog", 5, dark)), mean(dark) + 0.1);
  const auto foggy = corrupted("fog", 5, dark);
  for (size_t i = 1; i < 1024; ++i) {
    // (x + f) m: the same f in all channels.
    const double m = 1 / 2.5;
    EXPECT_NEAR((foggy[i] - foggy[1024 + i]) / m, dark[i] - dark[1024 + i], 1e-5);
  }
}

TEST(Corruptions, CompressionLosesMoreAtLowerQuality) {
  double previous = 0;
  for (int severity = 1; severity <= 5; ++severity) {
    const double loss =
        mean_square_difference(corrupted("jpeg_compression", severity, waves()), waves());
    EXPECT_GT(loss, previous);
    previous = loss;
  }
  EXPECT_LT(previous, 0.02);
  const std::vector<float> grey(3072, 128 / 255.0F);
  EXPECT_LT(mean_square_difference(corrupted("jpeg_compression", 5, grey), grey), 1e-6);
}

TEST(Corruptions, ElasticKeepsConstantImagesAndMovesOthersALittle) {
  const std::vector<float> grey(3072, 0.4F);
  for (int severity = 1; severity <= 5; ++severity) {
    for (const float value : corrupted("elastic_transform", severity, grey)) {
      ASSERT_NEAR(value, 0.4, 1e-6);
    }
  }
}

TEST(Corruptions, RefuseWhatTheyDoNotFit) {
  EXPECT_ERROR(check_transform({"cifar10c_saturate", 1, 2, 2}, test::schema_of({1, 28, 28}, 1)),
               InvalidArgument,
               HasSubstr("needs RGB images [3, height, width]; a sample is [1, 28, 28]"));
  EXPECT_ERROR(check_transform({"cifar10c_fog", 1, 2, 2}, test::schema_of({64}, 1)),
               InvalidArgument,
               HasSubstr("needs images"));
  EXPECT_ERROR(check_transform({"cifar10c_fog", 1, 2, 6}, test::schema_of({3, 8, 8}, 1)),
               InvalidArgument,
               HasSubstr("[0, 5]"));
}

TEST(Poisson, HasItsMeanAndVariance) {
  for (const double mean : {0.0, 0.3, 4.0, 9.9, 10.1, 60.0, 500.0}) {
    core::Rng rng(3);
    constexpr int kCount = 100'000;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kCount; ++i) {
      const auto k = static_cast<double>(draw_poisson(mean, rng));
      ASSERT_GE(k, 0);
      sum += k;
      squares += (k - mean) * (k - mean);
    }
    // Five standard errors: the fourth central moment is m + 3 m².
    EXPECT_NEAR(sum / kCount, mean, 5 * std::sqrt(mean / kCount) + 1e-12);
    EXPECT_NEAR(squares / kCount, mean, 5 * std::sqrt((mean + 2 * mean * mean) / kCount) + 1e-12);
  }
}

TEST(Poisson, HasTheProbabilitiesOfTheDistribution) {
  for (const double mean : {3.0, 12.0}) {
    core::Rng rng(8);
    constexpr int kCount = 200'000;
    std::vector<double> counts(60);
    for (int i = 0; i < kCount; ++i) {
      counts[static_cast<size_t>(std::min<int64_t>(59, draw_poisson(mean, rng)))] += 1;
    }
    double probability = std::exp(-mean);
    for (size_t k = 0; k < 25; ++k) {
      const double expected = kCount * probability;
      EXPECT_NEAR(counts[k], expected, 5 * std::sqrt(expected) + 3) << mean << " " << k;
      probability *= mean / static_cast<double>(k + 1);
    }
  }
}

}  // namespace
}  // namespace coppice::data
