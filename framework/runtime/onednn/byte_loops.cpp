#include "runtime/onednn/byte_loops.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/every_cpu.h"
#include "runtime/rounding.h"

namespace coppice::runtime::onednn {

namespace {

template <class T>
[[gnu::always_inline]] inline void widen(const std::byte* x, int64_t count, float* out) {
  const T* values = reinterpret_cast<const T*>(x);
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(values[i]);
  }
}

template <class T>
[[gnu::always_inline]] inline void narrow(const float* x,
                                          float scale,
                                          int64_t count,
                                          std::byte* out) {
  T* values = reinterpret_cast<T*>(out);
  for (int64_t i = 0; i < count; ++i) {
    values[i] = round_saturate<T>(x[i] / scale);
  }
}

template <class T>
[[gnu::always_inline]] inline void sum(
    const std::byte* x, int64_t pixels, int64_t channels, int64_t count, int32_t* sums) {
  std::fill_n(sums, count, 0);
  const T* values = reinterpret_cast<const T*>(x);
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < count; ++c) {
      sums[c] += values[p * channels + c];
    }
  }
}

template <class T>
[[gnu::always_inline]] inline void fold_rows(
    const std::byte* x, int64_t rows, int64_t stride, int64_t count, std::byte* out) {
  T* largest = reinterpret_cast<T*>(out);
  std::memcpy(out, x, static_cast<size_t>(count));
  for (int64_t row = 1; row < rows; ++row) {
    const T* values = reinterpret_cast<const T*>(x + row * stride);
    for (int64_t i = 0; i < count; ++i) {
      largest[i] = std::max(largest[i], values[i]);
    }
  }
}

/// 16 channels at a time; the bytes behind a pixel's last channel are overwritten by the next
/// pixel.
template <class T>
[[gnu::always_inline]] inline void fold_pixels(const std::byte* x,
                                               const RowWindows& windows,
                                               int64_t channels,
                                               std::byte* out) {
  for (size_t i = 0; i < windows.first.size(); ++i) {
    for (int64_t c = 0; c < channels; c += kRowSlack) {
      T largest[kRowSlack];
      std::memcpy(largest, x + windows.first[i] * channels + c, kRowSlack);
      for (int64_t p = windows.first[i] + 1; p < windows.last[i]; ++p) {
        T values[kRowSlack];
        std::memcpy(values, x + p * channels + c, kRowSlack);
        for (int64_t k = 0; k < kRowSlack; ++k) {
          largest[k] = std::max(largest[k], values[k]);
        }
      }
      std::memcpy(out + static_cast<int64_t>(i) * channels + c, largest, kRowSlack);
    }
  }
}

}  // namespace

COPPICE_FOR_EVERY_CPU
void bytes_to_floats(const std::byte* x, bool is_signed, int64_t count, float* out) {
  if (is_signed) {
    widen<int8_t>(x, count, out);
  } else {
    widen<uint8_t>(x, count, out);
  }
}

COPPICE_FOR_EVERY_CPU
void quantise_floats(const float* x, float scale, bool is_signed, int64_t count, std::byte* out) {
  if (is_signed) {
    narrow<int8_t>(x, scale, count, out);
  } else {
    narrow<uint8_t>(x, scale, count, out);
  }
}

COPPICE_FOR_EVERY_CPU
void add_floats(const WeightedSum& sum, const float* a, const float* b, int64_t count, float* out) {
  const float floor = sum.relu ? 0.0F : std::numeric_limits<float>::lowest();
  const float scale_a = sum.scale_a;
  const float scale_b = sum.scale_b;
  for (int64_t i = 0; i < count; ++i) {
    const float value = a[i] * scale_a + b[i] * scale_b;
    out[i] = value > floor ? value : floor;
  }
}

COPPICE_FOR_EVERY_CPU
void sum_pixels(const std::byte* x,
                bool is_signed,
                int64_t pixels,
                int64_t channels,
                int64_t count,
                int32_t* sums) {
  if (is_signed) {
    sum<int8_t>(x, pixels, channels, count, sums);
  } else {
    sum<uint8_t>(x, pixels, channels, count, sums);
  }
}

COPPICE_FOR_EVERY_CPU
void largest_of_rows(const std::byte* x,
                     bool is_signed,
                     int64_t rows,
                     int64_t stride,
                     int64_t count,
                     std::byte* out) {
  if (is_signed) {
    fold_rows<int8_t>(x, rows, stride, count, out);
  } else {
    fold_rows<uint8_t>(x, rows, stride, count, out);
  }
}

COPPICE_FOR_EVERY_CPU
void largest_of_pixels(const std::byte* x,
                       bool is_signed,
                       const RowWindows& windows,
                       int64_t channels,
                       std::byte* out) {
  if (is_signed) {
    fold_pixels<int8_t>(x, windows, channels, out);
  } else {
    fold_pixels<uint8_t>(x, windows, channels, out);
  }
}

}  // namespace coppice::runtime::onednn
