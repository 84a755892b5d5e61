#include "data/resize.h"

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "data/resize_reference.h"

namespace coppice::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class T>
DatasetPtr images_of(const std::vector<T>& values, std::vector<int64_t> shape, ElementType type) {
  Schema schema;
  schema.type = type;
  schema.sample_shape = std::move(shape);
  schema.class_names = {"a", "b"};
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  const auto samples = static_cast<int64_t>(bytes.size()) / schema.sample_bytes();
  std::vector<int64_t> labels(static_cast<size_t>(samples));
  labels.back() = 1;
  return make_memory_dataset(std::move(schema), std::move(bytes), std::move(labels));
}

template <class T>
std::vector<T> values_of(const Dataset& dataset) {
  const Batch batch = read_all(dataset);
  std::vector<T> values(batch.samples.size() / sizeof(T));
  std::memcpy(values.data(), batch.samples.data(), batch.samples.size());
  return values;
}

TEST(Resize, GivesWhatPyTorchGives) {
  const auto floats = images_of<float>({10, 200, 30, 40, 50, 255}, {1, 2, 3}, ElementType::F32);
  const auto bytes = images_of<uint8_t>({10, 200, 30, 40, 50, 255}, {1, 2, 3}, ElementType::U8);
  for (const auto& expected : testing::resized_by_pytorch()) {
    const auto resized = make_resized(floats, expected.height, expected.width);
    EXPECT_THAT(resized->schema().sample_shape, ElementsAre(1, expected.height, expected.width));
    const auto values = values_of<float>(*resized);
    const auto rounded = values_of<uint8_t>(*make_resized(bytes, expected.height, expected.width));
    ASSERT_EQ(values.size(), expected.values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(values[i], expected.values[i], 1e-3);
      EXPECT_NEAR(rounded[i], expected.values[i], 0.51);
    }
  }
}

TEST(Resize, KeepsSamplesAndChannelsApart) {
  // Two samples of two channels, each of one value.
  const auto small = images_of<uint8_t>({1, 2, 3, 4}, {2, 1, 1}, ElementType::U8);
  const auto large = make_resized(small, 1, 2);
  EXPECT_THAT(values_of<uint8_t>(*large), ElementsAre(1, 1, 2, 2, 3, 3, 4, 4));
  EXPECT_EQ(large->label(1), 1);
}

TEST(Resize, RefusesWhatIsNoImage) {
  const auto features = images_of<float>({1, 2}, {2}, ElementType::F32);
  EXPECT_ERROR(make_resized(features, 2, 2), InvalidArgument, HasSubstr("samples [2]"));
  const auto image = images_of<uint8_t>({1}, {1, 1, 1}, ElementType::U8);
  EXPECT_ERROR(make_resized(image, 0, 2), InvalidArgument, HasSubstr("0 x 2"));
}

}  // namespace
}  // namespace coppice::data
