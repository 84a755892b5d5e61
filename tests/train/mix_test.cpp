#include "train/mix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include <gtest/gtest.h>

#include "train/mixes/beta.h"

namespace coppice::train {

namespace {

data::Schema image_schema_of(data::ElementType type, std::vector<int64_t> shape = {2, 6, 8}) {
  data::Schema schema;
  schema.type = type;
  schema.sample_shape = std::move(shape);
  return schema;
}

/// Sample i holds 10 (i + 1) everywhere, so that every value tells where it came from.
data::Batch flat_batch(const data::Schema& schema, int64_t size) {
  data::Batch batch;
  batch.size = size;
  for (int64_t i = 0; i < size; ++i) {
    const auto value = static_cast<float>(10 * (i + 1));
    const auto elements = static_cast<size_t>(schema.sample_elements());
    if (schema.type == data::ElementType::U8) {
      batch.samples.insert(batch.samples.end(), elements, static_cast<std::byte>(value));
    } else {
      const std::vector<float> values(elements, value);
      const auto bytes = std::as_bytes(std::span(values));
      batch.samples.insert(batch.samples.end(), bytes.begin(), bytes.end());
    }
  }
  return batch;
}

std::vector<double> values_of(const data::Batch& batch, const data::Schema& schema) {
  std::vector<double> values;
  const size_t width = schema.type == data::ElementType::U8 ? 1 : sizeof(float);
  for (size_t at = 0; at < batch.samples.size(); at += width) {
    float value = 0;
    if (width == 1) {
      value = static_cast<float>(std::to_integer<int>(batch.samples[at]));
    } else {
      std::memcpy(&value, &batch.samples[at], sizeof value);
    }
    values.push_back(static_cast<double>(value));
  }
  return values;
}

double own_value(int64_t i) {
  return static_cast<double>(10 * (i + 1));
}

class Mixes : public ::testing::TestWithParam<data::ElementType> {};

TEST_P(Mixes, MixupBlendsEverySampleWithItsPartner) {
  const data::Schema schema = image_schema_of(GetParam());
  data::Batch batch = flat_batch(schema, 6);
  core::Rng rng(5);
  const Mixing mixing = mixup(batch, schema, 1, rng);
  ASSERT_TRUE(mixing.mixes());
  EXPECT_EQ(std::set(mixing.partner.begin(), mixing.partner.end()).size(), 6);
  const auto values = values_of(batch, schema);
  const auto elements = static_cast<size_t>(schema.sample_elements());
  for (size_t k = 0; k < values.size(); ++k) {
    const auto i = static_cast<int64_t>(k / elements);
    const double expected = mixing.share * own_value(i) +
                            (1 - mixing.share) * own_value(mixing.partner[static_cast<size_t>(i)]);
    EXPECT_NEAR(values[k], expected, GetParam() == data::ElementType::U8 ? 0.5 : 1e-4);
  }
}

TEST_P(Mixes, CutmixPastesOneBoxAndCountsItsArea) {
  const data::Schema schema = image_schema_of(GetParam());
  bool pasted = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    data::Batch batch = flat_batch(schema, 6);
    core::Rng rng(seed);
    const Mixing mixing = cutmix(batch, schema, 1, rng);
    const auto values = values_of(batch, schema);
    const auto elements = static_cast<size_t>(schema.sample_elements());
    for (size_t i = 0; i < 6; ++i) {
      if (mixing.partner[i] == static_cast<int64_t>(i)) {
        continue;
      }
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(i * elements);
      const auto own = std::count(first, first + 96, own_value(static_cast<int64_t>(i)));
      const auto other = std::count(first, first + 96, own_value(mixing.partner[i]));
      EXPECT_EQ(own + other, 96);
      EXPECT_NEAR(static_cast<double>(own) / 96, mixing.share, 1e-9);
      pasted = pasted || (own > 0 && other > 0);
      // Both channels alike.
      EXPECT_TRUE(std::equal(first, first + 48, first + 48));
    }
  }
  EXPECT_TRUE(pasted);
}

TEST_P(Mixes, CutoutBlanksASquareOfEachSampleWithTheBatchsMean) {
  const data::Schema schema = image_schema_of(GetParam());
  data::Batch batch = flat_batch(schema, 5);  // mean 30
  core::Rng rng(2);
  cutout(batch, schema, 0.5, rng);
  const auto values = values_of(batch, schema);
  std::set<std::ptrdiff_t> sizes;
  for (const int64_t i : {0, 1, 3, 4}) {  // sample 2 is the mean
    const auto first = values.begin() + i * 96;
    const auto blank = std::count(first, first + 96, 30.0);
    EXPECT_GT(blank, 0);
    EXPECT_LE(blank, 2 * 3 * 3);
    EXPECT_EQ(blank + std::count(first, first + 96, own_value(i)), 96);
    sizes.insert(std::find(first, first + 96, 30.0) - first);
  }
  EXPECT_GT(sizes.size(), 1);  // each at a place of its own
}

TEST_P(Mixes, WindowsAreCutInTime) {
  const data::Schema schema = image_schema_of(GetParam(), {3, 20});
  data::Batch batch = flat_batch(schema, 4);
  core::Rng rng(1);
  const Mixing mixing = cutmix(batch, schema, 1, rng);
  const auto values = values_of(batch, schema);
  const auto i = static_cast<int64_t>(
      std::ranges::find_if(mixing.partner, [n = 0](int64_t p) mutable { return p != n++; }) -
      mixing.partner.begin());
  ASSERT_LT(i, 4);
  const auto first = values.begin() + i * 60;
  EXPECT_NEAR(
      static_cast<double>(std::count(first, first + 60, own_value(i))) / 60, mixing.share, 1e-9);
  batch = flat_batch(schema, 4);
  cutout(batch, schema, 0.2, rng);
  const auto cut = values_of(batch, schema);
  EXPECT_LE(std::count(cut.begin(), cut.begin() + 60, 25.0), 3 * 4);
  EXPECT_GT(std::count(cut.begin(), cut.begin() + 60, 25.0), 0);
}

TEST_P(Mixes, TheSameSeedMixesAlike) {
  const data::Schema schema = image_schema_of(GetParam());
  const recipe::MixOptions options{.mixup_alpha = 0.4, .cutmix_alpha = 1, .cutout_side = 0.4};
  std::set<std::vector<std::byte>> results;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    data::Batch a = flat_batch(schema, 4);
    data::Batch b = flat_batch(schema, 4);
    const Mixing first = mix_batch(a, schema, options, core::Rng(seed));
    const Mixing second = mix_batch(b, schema, options, core::Rng(seed));
    EXPECT_EQ(a.samples, b.samples);
    EXPECT_EQ(first.share, second.share);
    EXPECT_EQ(first.partner, second.partner);
    results.insert(a.samples);
  }
  EXPECT_GT(results.size(), 8);
}

INSTANTIATE_TEST_SUITE_P(Types,
                         Mixes,
                         ::testing::Values(data::ElementType::U8, data::ElementType::F32),
                         [](const auto& c) {
                           return c.param == data::ElementType::U8 ? "U8" : "F32";
                         });

TEST(MixBatch, WhatIsOffChangesNothing) {
  const data::Schema schema = image_schema_of(data::ElementType::U8);
  data::Batch batch = flat_batch(schema, 4);
  const auto before = batch.samples;
  for (const recipe::MixOptions& options :
       {recipe::MixOptions{},
        recipe::MixOptions{.mixup_alpha = 1, .mixup_probability = 0},
        recipe::MixOptions{.cutmix_alpha = 1, .cutmix_probability = 0},
        recipe::MixOptions{.cutout_side = 1, .cutout_probability = 0}}) {
    EXPECT_FALSE(mix_batch(batch, schema, options, core::Rng(1)).mixes());
    EXPECT_EQ(batch.samples, before);
  }
}

TEST(MixBatch, ProbabilitiesAreSharesOfBatches) {
  const data::Schema schema = image_schema_of(data::ElementType::U8, {1, 4, 4});
  int mixed = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    data::Batch batch = flat_batch(schema, 2);
    const recipe::MixOptions options{.mixup_alpha = 1, .mixup_probability = 0.3};
    mixed += mix_batch(batch, schema, options, core::Rng(seed)).mixes() ? 1 : 0;
  }
  EXPECT_NEAR(mixed / 1000.0, 0.3, 0.06);
}

TEST(DrawBeta, HasTheDistributionsMoments) {
  for (const double alpha : {0.1, 0.4, 1.0, 3.0}) {
    core::Rng rng(4);
    double sum = 0;
    double squares = 0;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      const double x = draw_beta(alpha, rng);
      ASSERT_TRUE(x >= 0 && x <= 1);
      sum += x;
      squares += (x - 0.5) * (x - 0.5);
    }
    EXPECT_NEAR(sum / kDraws, 0.5, 0.015) << alpha;
    EXPECT_NEAR(squares / kDraws, 1 / (4 * (2 * alpha + 1)), 0.005) << alpha;
  }
}

TEST(DrawBeta, TinyShapesGiveNumbers) {
  core::Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    const double x = draw_beta(1e-3, rng);
    EXPECT_TRUE(x >= 0 && x <= 1);
  }
}

}  // namespace

}  // namespace coppice::train
