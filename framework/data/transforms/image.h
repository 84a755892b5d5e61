#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "data/dataset.h"

namespace coppice::data {

/// A sample as typed planes. Feature vectors are one row.
template <class T>
struct Image {
  T* pixels;
  int64_t channels;
  int64_t height;
  int64_t width;

  T* plane(int64_t channel) const { return pixels + channel * plane_size(); }

  int64_t plane_size() const { return height * width; }

  int64_t size() const { return channels * plane_size(); }
};

/// Calls `change` with an Image<uint8_t> or Image<float>.
template <class Change>
void change_image(std::span<std::byte> sample, const Schema& schema, Change&& change) {
  const auto& shape = schema.sample_shape;
  const bool image = shape.size() == 3;
  const int64_t channels = image ? shape[0] : 1;
  const int64_t height = image ? shape[1] : 1;
  const int64_t width = image ? shape[2] : schema.sample_elements();
  if (schema.type == ElementType::U8) {
    change(Image<uint8_t>{reinterpret_cast<uint8_t*>(sample.data()), channels, height, width});
  } else {
    change(Image<float>{reinterpret_cast<float*>(sample.data()), channels, height, width});
  }
}

/// What a share of the brightness range is in raw units.
template <class T>
constexpr float kRange = std::is_same_v<T, uint8_t> ? 255.0F : 1.0F;

/// A computed value as a pixel: bytes are rounded (half up) and clamped.
template <class T>
T to_pixel(float value) {
  if constexpr (std::is_same_v<T, uint8_t>) {
    // Clamped as an integer, which needs no branch: of noise on black pixels a processor
    // mispredicts every other one.
    return static_cast<uint8_t>(std::clamp(static_cast<int32_t>(value + 0.5F), 0, 255));
  } else {
    return value;
  }
}

/// Memory that a thread keeps between images, so that no transform allocates per image.
/// REQUIRES: one use at a time per thread and type.
template <class T>
std::vector<T>& scratch() {
  thread_local std::vector<T> memory;
  return memory;
}

}  // namespace coppice::data
