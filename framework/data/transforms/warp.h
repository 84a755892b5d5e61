#pragma once

#include <cmath>
#include <cstdint>

#include "data/transforms/image.h"

namespace coppice::data {

/// Where a target pixel comes from, relative to the image's centre: x = xx·right + xy·down, y =
/// yx·right + yy·down.
struct LinearMap {
  double xx;
  double xy;
  double yx;
  double yy;
};

namespace detail {

/// Positions are fixed-point numbers with 32 fractional bits: exact steps, and no conversion per
/// pixel.
constexpr int kFraction = 32;

inline int64_t to_fixed(double value) {
  return std::llround(value * static_cast<double>(int64_t{1} << kFraction));
}

/// Weights of a byte have 11 bits, so that products fit in 32 and the error stays below an eighth
/// of a grey level.
inline uint8_t blend(const uint8_t* above, const uint8_t* below, int64_t x, int64_t y) {
  constexpr uint32_t kBits = 11;
  constexpr uint32_t kOne = 1U << kBits;
  const uint32_t fx = static_cast<uint32_t>(x) >> (32U - kBits);
  const uint32_t fy = static_cast<uint32_t>(y) >> (32U - kBits);
  const uint32_t top = above[0] * (kOne - fx) + above[1] * fx;
  const uint32_t bottom = below[0] * (kOne - fx) + below[1] * fx;
  return static_cast<uint8_t>((top * (kOne - fy) + bottom * fy + kOne * kOne / 2) >> (2 * kBits));
}

inline float blend(const float* above, const float* below, int64_t x, int64_t y) {
  constexpr float kUnit = 0x1.0p-32F;
  const float fx = static_cast<float>(static_cast<uint32_t>(x)) * kUnit;
  const float fy = static_cast<float>(static_cast<uint32_t>(y)) * kUnit;
  const float top = above[0] + (above[1] - above[0]) * fx;
  const float bottom = below[0] + (below[1] - below[0]) * fx;
  return top + (bottom - top) * fy;
}

}  // namespace detail

/// Resamples every plane bilinearly through `map` about the centre; outside the image is 0.
template <class T>
void warp(const Image<T>& image, const LinearMap& map) {
  const int64_t height = image.height;
  const int64_t width = image.width;
  const int64_t stride = width + 2;
  std::vector<T>& padded =
      scratch<T>();  // a frame of zeros spares the pixels at the edge a case of their own
  padded.assign(static_cast<size_t>((height + 2) * stride), T{});
  const double centre_x = 0.5 * static_cast<double>(width - 1);
  const double centre_y = 0.5 * static_cast<double>(height - 1);
  const int64_t step_x = detail::to_fixed(map.xx);
  const int64_t step_y = detail::to_fixed(map.yx);
  // Half a unit of a byte's weights, so that they are rounded rather than cut off.
  constexpr int64_t kRounding = std::is_same_v<T, uint8_t> ? int64_t{1} << 20 : 0;
  for (int64_t c = 0; c < image.channels; ++c) {
    T* plane = image.plane(c);
    for (int64_t y = 0; y < height; ++y) {
      std::copy_n(plane + y * width, width, padded.data() + (y + 1) * stride + 1);
    }
    for (int64_t row = 0; row < height; ++row) {
      const double down = static_cast<double>(row) - centre_y;
      int64_t x = detail::to_fixed(centre_x + 1 - map.xx * centre_x + map.xy * down) + kRounding;
      int64_t y = detail::to_fixed(centre_y + 1 - map.yx * centre_x + map.yy * down) + kRounding;
      T* target = plane + row * width;
      for (int64_t column = 0; column < width; ++column, x += step_x, y += step_y) {
        const int64_t left = x >> detail::kFraction;
        const int64_t top = y >> detail::kFraction;
        const bool inside = static_cast<uint64_t>(left) <= static_cast<uint64_t>(width) &&
                            static_cast<uint64_t>(top) <= static_cast<uint64_t>(height);
        if (inside) {
          const T* source = padded.data() + top * stride + left;
          target[column] = detail::blend(source, source + stride, x, y);
        } else {
          target[column] = T{};
        }
      }
    }
  }
}

}  // namespace coppice::data
