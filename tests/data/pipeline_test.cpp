#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "core/config.h"
#include "core/expect_error.h"
#include "data/samples.h"
#include "data/transform.h"

namespace coppice::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<TransformOptions> kAugmentation = {{"flip", 0.5, 0, 0},
                                                     {"shift", 1, 0, 3},
                                                     {"rotate", 0.7, 0, 20},
                                                     {"scale", 1, 0.9, 1.1},
                                                     {"contrast", 1, 0.5, 1},
                                                     {"brightness", 1, -0.1, 0.1},
                                                     {"blur", 0.3, 0.5, 1},
                                                     {"cutout", 0.5, 0.3, 0.3},
                                                     {"noise", 1, 0.05, 0.1}};

DatasetPtr images(int64_t count, ElementType type = ElementType::U8) {
  const Schema schema = test::schema_of({1, 12, 10}, 2, type);
  std::vector<std::byte> samples =
      type == ElementType::U8
          ? test::random_bytes(static_cast<size_t>(count) * 120, 5)
          : test::bytes_of(std::vector<float>(static_cast<size_t>(count) * 120, 0.5F));
  return make_memory_dataset(
      schema, std::move(samples), std::vector<int64_t>(static_cast<size_t>(count)));
}

std::vector<std::byte> augmented(const DatasetPtr& dataset, size_t threads) {
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
  const Pipeline pipeline(kAugmentation, dataset->schema());
  Batch batch = read_all(*dataset);
  pipeline.apply(batch, core::Rng(11));
  return batch.samples;
}

TEST(Pipeline, GivesTheSameWithAnyNumberOfThreads) {
  for (const ElementType type : {ElementType::U8, ElementType::F32}) {
    const DatasetPtr dataset = images(500, type);
    const auto one = augmented(dataset, 1);
    EXPECT_EQ(one, augmented(dataset, 2));
    EXPECT_EQ(one, augmented(dataset, 4));
    EXPECT_NE(one, read_all(*dataset).samples);
  }
}

TEST(Pipeline, ABatchIsItsSamplesEachWithItsStream) {
  const DatasetPtr dataset = images(40);
  const Pipeline pipeline(kAugmentation, dataset->schema());
  Batch batch = read_all(*dataset);
  const Batch original = batch;
  const core::Rng rng(3);
  pipeline.apply(batch, rng);
  for (const size_t i : {0U, 17U, 39U}) {
    std::vector<std::byte> sample(
        original.samples.begin() + static_cast<std::ptrdiff_t>(i * 120),
        original.samples.begin() + static_cast<std::ptrdiff_t>(i * 120 + 120));
    core::Rng stream = rng.split(i);
    pipeline.apply(sample, stream);
    EXPECT_TRUE(std::equal(sample.begin(),
                           sample.end(),
                           batch.samples.begin() + static_cast<std::ptrdiff_t>(i * 120)));
  }
}

TEST(Pipeline, AppliesAStepToTheShareOfImagesAsked) {
  const DatasetPtr dataset = images(4000);
  const Pipeline pipeline({{"brightness", 0.3, 0.5, 0.5}}, dataset->schema());
  Batch batch = read_all(*dataset);
  const Batch original = batch;
  pipeline.apply(batch, core::Rng(1));
  int changed = 0;
  for (size_t i = 0; i < 4000; ++i) {
    const auto from = static_cast<std::ptrdiff_t>(i * 120);
    changed += std::equal(batch.samples.begin() + from,
                          batch.samples.begin() + from + 120,
                          original.samples.begin() + from)
                   ? 0
                   : 1;
  }
  EXPECT_NEAR(changed, 1200, 5 * std::sqrt(840.0));
}

TEST(Pipeline, DrawsStrengthsFromTheirInterval) {
  const Schema schema = test::schema_of({1, 1, 1}, 1, ElementType::F32);
  const Pipeline pipeline({{"brightness", 1, 0.2, 0.6}}, schema);
  double low = 1;
  double high = 0;
  double sum = 0;
  core::Rng rng(2);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::byte> pixel = test::bytes_of({0});
    pipeline.apply(pixel, rng);
    const double value = static_cast<double>(test::floats_of(pixel)[0]);
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
  }
  EXPECT_NEAR(low, 0.2, 0.01);
  EXPECT_NEAR(high, 0.6, 0.01);
  EXPECT_NEAR(sum / 2000, 0.4, 0.015);
}

TEST(Pipeline, RefusesUnknownNamesStrengthsOutOfRangeAndMisfits) {
  const Schema image = test::schema_of({1, 4, 4}, 1);
  const auto make = [](const TransformOptions& options, const Schema& schema) {
    return Pipeline({options}, schema);
  };
  EXPECT_ERROR(make({"rotat", 1, 0, 5}, image), NotFound, HasSubstr("did you mean 'rotate'?"));
  EXPECT_ERROR(make({"rotate", 1, 0, 181}, image),
               InvalidArgument,
               AllOf(HasSubstr("'rotate'"), HasSubstr("[0, 180]")));
  EXPECT_ERROR(make({"scale", 1, 0, 1}, image), InvalidArgument, HasSubstr("[0.1, 10]"));
  EXPECT_ERROR(make({"noise", 1, 0.3, 0.2}, image), InvalidArgument, HasSubstr("ascend"));
  EXPECT_ERROR(make({"noise", 1, std::nan(""), 0.2}, image), InvalidArgument, HasSubstr("ascend"));
  EXPECT_ERROR(make({"noise", 1.5, 0, 0.2}, image), InvalidArgument, HasSubstr("probability"));
  const Schema features = test::schema_of({16}, 1);
  EXPECT_ERROR(make({"rotate", 1, 0, 5}, features),
               InvalidArgument,
               AllOf(HasSubstr("needs images"), HasSubstr("[16]")));
  EXPECT_NO_THROW(make({"noise", 1, 0, 0.1}, features));
}

TEST(Pipeline, RefusesABatchOfAnotherSchema) {
  const Pipeline pipeline({{"noise", 1, 0.1, 0.1}}, test::schema_of({1, 4, 4}, 1));
  Batch batch = read_all(*images(2));
  EXPECT_ERROR(pipeline.apply(batch, core::Rng(1)), InvalidArgument, HasSubstr("240 bytes"));
}

TEST(Transformed, AlwaysShowsASampleTheSameWay) {
  const DatasetPtr view = make_transformed(images(50), kAugmentation, 8);
  const Batch all = read_all(*view);
  Batch some;
  view->read(std::vector<int64_t>{31, 7}, some);
  EXPECT_TRUE(
      std::equal(some.samples.begin(), some.samples.begin() + 120, all.samples.begin() + 31 * 120));
  EXPECT_TRUE(
      std::equal(some.samples.begin() + 120, some.samples.end(), all.samples.begin() + 7 * 120));
  EXPECT_NE(all.samples, read_all(*make_transformed(images(50), kAugmentation, 9)).samples);
  EXPECT_EQ(view->size(), 50);
  EXPECT_EQ(view->label(3), 0);
  EXPECT_EQ(read_all(*make_transformed(images(50), {}, 8)).samples, read_all(*images(50)).samples);
  EXPECT_ERROR(make_transformed(images(5), {{"nois", 1, 0, 0}}, 1), NotFound, HasSubstr("noise"));
}

TEST(TransformOptions, AreReadFromYaml) {
  const auto options = core::read_options<TransformOptions>(
      core::parse_config_text("{name: rotate, low: 5, high: 30}", "test.yaml"));
  EXPECT_EQ(options.name, "rotate");
  EXPECT_EQ(options.probability, 1);
  EXPECT_EQ(options.high, 30);
  EXPECT_ERROR(core::read_options<TransformOptions>(
                   core::parse_config_text("{name: rotat, low: 5, high: 30}", "test.yaml")),
               Config,
               HasSubstr("rotate"));
}

}  // namespace
}  // namespace coppice::data
