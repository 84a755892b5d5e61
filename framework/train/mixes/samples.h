#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>

#include "data/dataset.h"

namespace coppice::train {

/// Calls `work` with the batch's values as span<uint8_t> or span<float>.
template <class Work>
void with_values(data::Batch& batch, const data::Schema& schema, const Work& work) {
  if (schema.type == data::ElementType::U8) {
    work(std::span(reinterpret_cast<uint8_t*>(batch.samples.data()), batch.samples.size()));
  } else {
    work(std::span(reinterpret_cast<float*>(batch.samples.data()),
                   batch.samples.size() / sizeof(float)));
  }
}

template <class T>
T to_element(double value) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(std::clamp(std::nearbyint(value), 0.0, 255.0));
  } else {
    return static_cast<T>(value);
  }
}

/// A sample as planes of rows: [channels, height, width]; a window [channels, time] has height 1.
struct Planes {
  int64_t channels = 1;
  int64_t height = 1;
  int64_t width = 1;
};

/// REQUIRES: at least two dimensions.
inline Planes planes_of(const data::Schema& schema) {
  const auto& shape = schema.sample_shape;
  return shape.size() == 2 ? Planes{shape[0], 1, shape[1]} : Planes{shape[0], shape[1], shape[2]};
}

/// Part of a plane; ends are exclusive.
struct Box {
  int64_t top = 0;
  int64_t bottom = 0;
  int64_t left = 0;
  int64_t right = 0;

  int64_t area() const { return (bottom - top) * (right - left); }
};

/// Of the given size about a centre, cut off at the plane's borders.
inline Box box_about(const Planes& p, int64_t y, int64_t x, int64_t height, int64_t width) {
  const int64_t top = y - height / 2;
  const int64_t left = x - width / 2;
  return {std::clamp<int64_t>(top, 0, p.height),
          std::clamp<int64_t>(top + height, 0, p.height),
          std::clamp<int64_t>(left, 0, p.width),
          std::clamp<int64_t>(left + width, 0, p.width)};
}

}  // namespace coppice::train
