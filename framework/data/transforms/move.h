#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "data/transforms/image.h"

namespace coppice::data {

/// Moves a plane by `right` and `down` pixels in place; what comes in is 0.
template <class T>
void move_plane(T* plane, int64_t height, int64_t width, int64_t right, int64_t down) {
  const int64_t kept = std::max(int64_t{0}, width - std::abs(right));
  const int64_t from = right < 0 ? -right : 0;
  const int64_t to = right > 0 ? right : 0;
  for (int64_t i = 0; i < height; ++i) {
    // Rows are taken in the order in which none is overwritten before it was read.
    const int64_t y = down > 0 ? height - 1 - i : i;
    T* target = plane + y * width;
    const int64_t source_y = y - down;
    if (source_y < 0 || source_y >= height || kept == 0) {
      std::fill(target, target + width, T{});
      continue;
    }
    const T* source = plane + source_y * width;
    std::copy_n(source + from, kept, scratch<T>().data());
    std::fill(target, target + to, T{});
    std::copy_n(scratch<T>().data(), kept, target + to);
    std::fill(target + to + kept, target + width, T{});
  }
}

/// The same of all planes.
inline void move_image(std::span<std::byte> sample,
                       const Schema& schema,
                       int64_t right,
                       int64_t down) {
  if (right == 0 && down == 0) {
    return;
  }
  change_image(sample, schema, [&](auto image) {
    using T = std::remove_pointer_t<decltype(image.pixels)>;
    scratch<T>().resize(static_cast<size_t>(image.width));
    for (int64_t c = 0; c < image.channels; ++c) {
      move_plane(image.plane(c), image.height, image.width, right, down);
    }
  });
}

}  // namespace coppice::data
