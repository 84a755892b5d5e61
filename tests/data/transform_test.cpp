#include "data/transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::Each;

/// Applies one transform to one image; the registry's own names, so that each is covered.
std::vector<std::byte> changed(const std::string& name,
                               std::vector<std::byte> image,
                               const Schema& schema,
                               double strength,
                               uint64_t seed = 1) {
  core::Rng rng(seed);
  transforms().get(name)->apply(image, schema, strength, rng);
  return image;
}

std::vector<float> random_floats(size_t size) {
  core::Rng rng(9);
  std::vector<float> values(size);
  std::generate(values.begin(), values.end(), [&] { return static_cast<float>(rng.uniform()); });
  return values;
}

/// One image in both types: bytes, and the same values as floats.
struct ImagePair {
  Schema u8;
  Schema f32;
  std::vector<std::byte> bytes;
  std::vector<std::byte> floats;
};

ImagePair random_pair(const std::vector<int64_t>& shape) {
  ImagePair pair{test::schema_of(shape, 1), test::schema_of(shape, 1, ElementType::F32), {}, {}};
  pair.bytes = test::random_bytes(static_cast<size_t>(pair.u8.sample_elements()), 3);
  std::vector<float> values;
  for (const std::byte byte : pair.bytes) {
    values.push_back(static_cast<float>(byte));
  }
  pair.floats = test::bytes_of(values);
  return pair;
}

/// The first of some shapes that the transform fits, all of about this many values.
std::vector<int64_t> shape_for(const std::string& name, int64_t height, int64_t width) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{
           {2, height, width}, {3, height, width}, {2, height * width}}) {
    if (transforms().get(name)->fits(test::schema_of(shape, 1))) {
      return shape;
    }
  }
  ADD_FAILURE() << name << " fits nothing";
  return {1};
}

class EveryTransform : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryTransform, ChangesNothingAtItsNeutralStrength) {
  if (GetParam().starts_with("flip")) {
    GTEST_SUCCEED() << "its strength is unused";
    return;
  }
  const double neutral = transforms().get(GetParam())->range().neutral;
  const ImagePair pair = random_pair(shape_for(GetParam(), 9, 12));
  EXPECT_EQ(changed(GetParam(), pair.bytes, pair.u8, neutral), pair.bytes);
  EXPECT_EQ(changed(GetParam(), pair.floats, pair.f32, neutral), pair.floats);
}

TEST_P(EveryTransform, ChangesSomethingAtTheEndsOfItsRange) {
  const StrengthRange range = transforms().get(GetParam())->range();
  const ImagePair pair = random_pair(shape_for(GetParam(), 9, 12));
  EXPECT_NE(changed(GetParam(), pair.bytes, pair.u8, range.max), pair.bytes);
  EXPECT_NE(changed(GetParam(), pair.floats, pair.f32, range.max), pair.floats);
  EXPECT_LE(range.min, range.neutral);
  EXPECT_LT(range.neutral, range.max);
}

TEST_P(EveryTransform, IsDecidedByItsStrengthAndSeed) {
  const StrengthRange range = transforms().get(GetParam())->range();
  const double strength = 0.75 * range.neutral + 0.25 * range.max;
  const ImagePair pair = random_pair(shape_for(GetParam(), 28, 28));
  EXPECT_EQ(changed(GetParam(), pair.bytes, pair.u8, strength, 4),
            changed(GetParam(), pair.bytes, pair.u8, strength, 4));
}

TEST_P(EveryTransform, TreatsBytesAsRoundedFloats) {
  const std::vector<std::string> in_shares = {"noise", "brightness", "stripe", "jitter"};
  if (std::count(in_shares.begin(), in_shares.end(), GetParam()) > 0 ||
      GetParam().starts_with("cifar10c_")) {
    GTEST_SUCCEED() << "in shares of another range";
    return;
  }
  const StrengthRange range = transforms().get(GetParam())->range();
  const double strength = 0.9 * range.neutral + 0.1 * range.max;
  const ImagePair pair = random_pair(shape_for(GetParam(), 14, 17));
  const auto bytes = changed(GetParam(), pair.bytes, pair.u8, strength);
  const auto floats = test::floats_of(changed(GetParam(), pair.floats, pair.f32, strength));
  for (size_t i = 0; i < bytes.size(); ++i) {
    const float expected = std::clamp(floats[i], 0.0F, 255.0F);
    ASSERT_NEAR(std::to_integer<int>(bytes[i]), expected, 0.63) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All,
                         EveryTransform,
                         ::testing::ValuesIn(transforms().names()),
                         [](const auto& test) { return test.param; });

TEST(Flip, MirrorsEveryRow) {
  const std::vector<float> image = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(
      changed("flip", test::bytes_of(image), test::schema_of({1, 2, 3}, 1, ElementType::F32), 0),
      test::bytes_of({3, 2, 1, 6, 5, 4}));
}

TEST(FlipVertical, ExchangesRows) {
  const std::vector<float> image = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(changed("flip_vertical",
                    test::bytes_of(image),
                    test::schema_of({1, 3, 2}, 1, ElementType::F32),
                    0),
            test::bytes_of({5, 6, 3, 4, 1, 2}));
}

TEST(Crop, CutsFromEverywhereOfThePaddedImage) {
  const Schema schema = test::schema_of({1, 5, 5}, 1);
  std::vector<std::byte> image(25);
  image[12] = std::byte{9};
  std::vector<int> seen(25);
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const auto cropped = changed("crop", image, schema, 2, seed);
    const auto at = std::find(cropped.begin(), cropped.end(), std::byte{9}) - cropped.begin();
    ++seen.at(static_cast<size_t>(at));
  }
  EXPECT_THAT(seen, Each(::testing::AllOf(::testing::Gt(4), ::testing::Lt(44))))
      << "each of the 25 places 20 times, give or take";
}

TEST(Shear, MovesRowsInProportionToTheirHeight) {
  const Schema schema = test::schema_of({1, 5, 9}, 1);
  std::vector<std::byte> image(45);
  for (size_t y = 0; y < 5; ++y) {
    image[y * 9 + 4] = std::byte{100};
  }
  std::vector<std::byte> slanted(45);
  for (size_t y = 0; y < 5; ++y) {
    slanted[y * 9 + 2 + y] = std::byte{100};
  }
  std::vector<std::byte> mirrored(45);
  for (size_t y = 0; y < 5; ++y) {
    mirrored[y * 9 + 6 - y] = std::byte{100};
  }
  for (uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_THAT(changed("shear", image, schema, 1, seed), ::testing::AnyOf(slanted, mirrored));
  }
}

TEST(Stripe, InvertsTheMiddle) {
  const Schema schema = test::schema_of({1, 1, 6}, 1);
  const std::vector<std::byte> image(6, std::byte{55});
  const auto striped = changed("stripe", image, schema, 1.0 / 3);
  EXPECT_EQ(striped,
            (std::vector<std::byte>{std::byte{55},
                                    std::byte{55},
                                    std::byte{200},
                                    std::byte{200},
                                    std::byte{55},
                                    std::byte{55}}));
}

TEST(Shift, MovesAsFarAsAskedInAllDirectionsAndFillsWithZero) {
  const Schema schema = test::schema_of({1, 21, 31}, 1, ElementType::F32);
  std::vector<float> image = random_floats(21 * 31);
  std::vector<std::pair<int, int>> seen;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const auto moved = test::floats_of(changed("shift", test::bytes_of(image), schema, 5, seed));
    for (int down = -5; down <= 5; ++down) {
      for (int right = -5; right <= 5; ++right) {
        bool same = true;
        for (int y = 0; same && y < 21; ++y) {
          for (int x = 0; same && x < 31; ++x) {
            const int from_y = y - down;
            const int from_x = x - right;
            const bool inside = from_y >= 0 && from_y < 21 && from_x >= 0 && from_x < 31;
            const float expected = inside ? image[static_cast<size_t>(from_y * 31 + from_x)] : 0;
            same = moved[static_cast<size_t>(y * 31 + x)] == expected;
          }
        }
        if (same) {
          EXPECT_NEAR(std::hypot(down, right), 5, 0.71);
          seen.emplace_back(down, right);
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), 40U) << "every result is the image moved by some whole pixels";
  for (const auto& [down, right] : {std::pair{1, 1}, {1, -1}, {-1, 1}, {-1, -1}}) {
    EXPECT_TRUE(std::any_of(seen.begin(), seen.end(), [&](const auto& s) {
      return s.first * down > 0 && s.second * right > 0;
    }));
  }
}

TEST(Shift, BlanksAnImageThatIsMovedOut) {
  const Schema schema = test::schema_of({2, 4, 4}, 1);
  EXPECT_THAT(changed("shift", test::random_bytes(32, 1), schema, 60), Each(std::byte{0}));
}

TEST(Rotate, ByNinetyDegreesIsExact) {
  for (const int64_t side : {27, 28}) {
    const auto at = [side](int64_t y, int64_t x) {
      return static_cast<size_t>(y * side + x);
    };
    const ImagePair pair = random_pair({1, side, side});
    std::vector<std::byte> left(pair.bytes.size());
    std::vector<std::byte> right(pair.bytes.size());
    for (int64_t y = 0; y < side; ++y) {
      for (int64_t x = 0; x < side; ++x) {
        left[at(side - 1 - x, y)] = pair.bytes[at(y, x)];
        right[at(x, side - 1 - y)] = pair.bytes[at(y, x)];
      }
    }
    int lefts = 0;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const auto turned = changed("rotate", pair.bytes, pair.u8, 90, seed);
      lefts += turned == left ? 1 : 0;
      ASSERT_TRUE(turned == left || turned == right);
      const auto floats = test::floats_of(changed("rotate", pair.floats, pair.f32, 90, seed));
      for (size_t i = 0; i < turned.size(); ++i) {
        ASSERT_NEAR(floats[i], std::to_integer<int>(turned[i]), 1e-3);
      }
    }
    EXPECT_GT(lefts, 2) << "both signs occur";
    EXPECT_LT(lefts, 18);
  }
}

TEST(Rotate, ByHalfATurnReversesARectangle) {
  const ImagePair pair = random_pair({1, 3, 8});
  std::vector<std::byte> reversed(pair.bytes.rbegin(), pair.bytes.rend());
  EXPECT_EQ(changed("rotate", pair.bytes, pair.u8, 180), reversed);
}

/// Bilinear resampling as the definition has it.
std::vector<float> resampled(
    const std::vector<float>& image,
    int64_t height,
    int64_t width,
    const std::function<std::pair<double, double>(double, double)>& source) {
  const auto pixel = [&](double y, double x) {
    const auto row = static_cast<int64_t>(y);
    const auto column = static_cast<int64_t>(x);
    const bool inside = row >= 0 && row < height && column >= 0 && column < width;
    return inside ? static_cast<double>(image[static_cast<size_t>(row * width + column)]) : 0.0;
  };
  std::vector<float> result;
  for (int64_t row = 0; row < height; ++row) {
    for (int64_t column = 0; column < width; ++column) {
      const double centre_y = 0.5 * static_cast<double>(height - 1);
      const double centre_x = 0.5 * static_cast<double>(width - 1);
      const auto [dy, dx] =
          source(static_cast<double>(row) - centre_y, static_cast<double>(column) - centre_x);
      const double y = std::floor(centre_y + dy);
      const double x = std::floor(centre_x + dx);
      const double fy = centre_y + dy - y;
      const double fx = centre_x + dx - x;
      result.push_back(
          static_cast<float>((1 - fy) * ((1 - fx) * pixel(y, x) + fx * pixel(y, x + 1)) +
                             fy * ((1 - fx) * pixel(y + 1, x) + fx * pixel(y + 1, x + 1))));
    }
  }
  return result;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, static_cast<double>(std::abs(a[i] - b[i])));
  }
  return largest;
}

TEST(Rotate, AgreesWithTheDefinitionOfBilinearResampling) {
  const Schema schema = test::schema_of({1, 19, 26}, 1, ElementType::F32);
  const std::vector<float> image = random_floats(19 * 26);
  for (const double degrees : {3.7, 30.0, 61.0, 133.3}) {
    const auto turned = test::floats_of(changed("rotate", test::bytes_of(image), schema, degrees));
    const auto expected = [&](double sign) {
      const double angle = sign * degrees * std::numbers::pi / 180;
      return resampled(image, 19, 26, [angle](double y, double x) {
        return std::pair{-std::sin(angle) * x + std::cos(angle) * y,
                         std::cos(angle) * x + std::sin(angle) * y};
      });
    };
    EXPECT_LT(
        std::min(largest_difference(turned, expected(1)), largest_difference(turned, expected(-1))),
        1e-5);
  }
}

TEST(Scale, AgreesWithTheDefinitionOfBilinearResampling) {
  const Schema schema = test::schema_of({1, 19, 26}, 1, ElementType::F32);
  const std::vector<float> image = random_floats(19 * 26);
  for (const double factor : {0.31, 0.9, 1.4, 7.0}) {
    const auto scaled = test::floats_of(changed("scale", test::bytes_of(image), schema, factor));
    const auto expected = resampled(image, 19, 26, [factor](double y, double x) {
      return std::pair{y / factor, x / factor};
    });
    EXPECT_LT(largest_difference(scaled, expected), 1e-5);
  }
}

TEST(Noise, HasTheStandardDeviationAskedFor) {
  const Schema schema = test::schema_of({1, 300, 300}, 1);
  const auto noisy = changed("noise", std::vector<std::byte>(90'000, std::byte{128}), schema, 0.1);
  double sum = 0;
  double squares = 0;
  for (const std::byte byte : noisy) {
    const double difference = static_cast<double>(byte) - 128;
    sum += difference;
    squares += difference * difference;
  }
  EXPECT_NEAR(sum / 90'000, 0, 0.4);
  EXPECT_NEAR(std::sqrt(squares / 90'000), 25.5, 0.3);
}

TEST(Noise, ClampsBytes) {
  const Schema schema = test::schema_of({1, 100, 100}, 1);
  const auto black = changed("noise", std::vector<std::byte>(10'000, std::byte{0}), schema, 0.05);
  const auto zeros = std::count(black.begin(), black.end(), std::byte{0});
  EXPECT_NEAR(static_cast<double>(zeros) / 10'000, 0.5156, 0.02);  // below half a grey level
  EXPECT_LT(*std::max_element(black.begin(), black.end()), std::byte{80});
}

TEST(Noise, IsNormalIntoItsTails) {
  constexpr size_t kSize = 1'000'000;
  const Schema schema = test::schema_of({kSize}, 1, ElementType::F32);
  const auto noise =
      test::floats_of(changed("noise", test::bytes_of(std::vector<float>(kSize)), schema, 1));
  std::array<double, 5> moments = {};
  int beyond_two = 0;
  int beyond_the_last_layer = 0;
  for (const float sample : noise) {
    const double x = static_cast<double>(sample);
    for (size_t power = 1; power <= 4; ++power) {
      moments[power] += std::pow(x, static_cast<double>(power)) / kSize;
    }
    beyond_two += std::abs(x) > 2 ? 1 : 0;
    beyond_the_last_layer += std::abs(x) > 3.7 ? 1 : 0;
  }
  // Five standard errors each.
  EXPECT_NEAR(moments[1], 0, 0.005);
  EXPECT_NEAR(moments[2], 1, 0.0071);
  EXPECT_NEAR(moments[3], 0, 0.02);
  EXPECT_NEAR(moments[4], 3, 0.049);
  EXPECT_NEAR(beyond_two, 45'500, 1042);
  EXPECT_NEAR(beyond_the_last_layer, 215.6, 73);
}

TEST(Contrast, KeepsEachChannelsMeanAndScalesAboutIt) {
  const Schema schema = test::schema_of({2, 1, 2}, 1);
  const std::vector<std::byte> image = {
      std::byte{100}, std::byte{140}, std::byte{0}, std::byte{250}};
  const std::vector<std::byte> half = {
      std::byte{110}, std::byte{130}, std::byte{63}, std::byte{188}};
  EXPECT_EQ(changed("contrast", image, schema, 0.5), half);
  const std::vector<std::byte> twice = {
      std::byte{80}, std::byte{160}, std::byte{0}, std::byte{255}};
  EXPECT_EQ(changed("contrast", image, schema, 2), twice);
}

TEST(Brightness, AddsAShareOfTheRangeAndClampsBytesOnly) {
  const Schema u8 = test::schema_of({3}, 1);
  const std::vector<std::byte> bytes = {std::byte{0}, std::byte{100}, std::byte{250}};
  EXPECT_EQ(changed("brightness", bytes, u8, 0.2),
            (std::vector<std::byte>{std::byte{51}, std::byte{151}, std::byte{255}}));
  EXPECT_EQ(changed("brightness", bytes, u8, -0.2),
            (std::vector<std::byte>{std::byte{0}, std::byte{49}, std::byte{199}}));
  const Schema f32 = test::schema_of({2}, 1, ElementType::F32);
  EXPECT_EQ(changed("brightness", test::bytes_of({0.5F, 1}), f32, 0.25),
            test::bytes_of({0.75F, 1.25F}));
}

TEST(Cutout, BlanksOneSquareInAllChannels) {
  const Schema schema = test::schema_of({2, 20, 30}, 1);
  const std::vector<std::byte> white(1200, std::byte{255});
  int64_t largest = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const auto cut = changed("cutout", white, schema, 0.5, seed);
    EXPECT_TRUE(std::equal(cut.begin(), cut.begin() + 600, cut.begin() + 600));
    int64_t top = 20;
    int64_t bottom = -1;
    int64_t left = 30;
    int64_t right = -1;
    for (int64_t i = 0; i < 600; ++i) {
      if (cut[static_cast<size_t>(i)] == std::byte{0}) {
        top = std::min(top, i / 30);
        bottom = std::max(bottom, i / 30);
        left = std::min(left, i % 30);
        right = std::max(right, i % 30);
      }
    }
    const int64_t area = (bottom - top + 1) * (right - left + 1);
    EXPECT_EQ(std::count(cut.begin(), cut.begin() + 600, std::byte{0}), area);
    EXPECT_LE(bottom - top, 9);
    EXPECT_LE(right - left, 9);
    largest = std::max(largest, area);
  }
  EXPECT_EQ(largest, 100)
      << "half of the shorter side, squared, where the image's edge does not cut it";
}

TEST(Blur, SpreadsAPointAsAGaussianAndKeepsConstantImages) {
  const Schema schema = test::schema_of({1, 31, 31}, 1, ElementType::F32);
  std::vector<float> point(31 * 31);
  point[15 * 31 + 15] = 1;
  const auto spread = test::floats_of(changed("blur", test::bytes_of(point), schema, 2));
  double sum = 0;
  double variance = 0;
  for (size_t i = 0; i < spread.size(); ++i) {
    const double x = static_cast<double>(i % 31) - 15;
    sum += static_cast<double>(spread[i]);
    variance += x * x * static_cast<double>(spread[i]);
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_NEAR(std::sqrt(variance), 2, 0.05);  // cut off at three σ
  EXPECT_NEAR(spread[15 * 31 + 17] / spread[15 * 31 + 15], std::exp(-0.5), 1e-4);
  EXPECT_EQ(spread[17 * 31 + 15], spread[15 * 31 + 17]);
  const Schema bytes = test::schema_of({2, 5, 9}, 1);
  const std::vector<std::byte> grey(90, std::byte{77});
  EXPECT_EQ(changed("blur", grey, bytes, 10), grey);
}

}  // namespace
}  // namespace coppice::data
