#include "runtime/xnnpack/loops.h"

#include <algorithm>
#include <array>
#include <limits>

#include "runtime/rounding.h"

// The compiler vectorises each loop for several generations of CPUs and picks at load time.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define COPPICE_CLONES __attribute__((target_clones("arch=skylake-avx512", "avx2", "default")))
#else
#define COPPICE_CLONES
#endif

namespace coppice::runtime::xnnpack {

COPPICE_CLONES
void widen(const int8_t* x, int32_t zero, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(x[i] - zero);
  }
}

COPPICE_CLONES
void quantise(const float* x, float scale, int32_t zero, int64_t count, int8_t* out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = round_saturate<int8_t>(x[i] / scale, zero);
  }
}

namespace {

COPPICE_CLONES
void scale_row(const float* bias,
               const float* multipliers,
               float low,
               float high,
               int64_t channels,
               float* sums) {
  for (int64_t c = 0; c < channels; ++c) {
    const float value = (sums[c] + bias[c]) * multipliers[c];
    sums[c] = std::min(std::max(value, low), high);
  }
}

COPPICE_CLONES
void add_row(const float* bias,
             const float* multipliers,
             const int8_t* residual,
             Scaled added,
             float low,
             float high,
             int64_t channels,
             float* sums) {
  for (int64_t c = 0; c < channels; ++c) {
    const float value = (sums[c] + bias[c]) * multipliers[c] +
                        static_cast<float>(residual[c] - added.zero) * added.scale;
    sums[c] = std::min(std::max(value, low), high);
  }
}

/// a * scale + b * scale of a block, and no less than the floor.
COPPICE_CLONES
void add_blocks(const int8_t* a,
                Scaled as,
                const int8_t* b,
                Scaled bs,
                float floor,
                int64_t count,
                float* out) {
  for (int64_t i = 0; i < count; ++i) {
    const float value = static_cast<float>(a[i] - as.zero) * as.scale +
                        static_cast<float>(b[i] - bs.zero) * bs.scale;
    out[i] = value > floor ? value : floor;
  }
}

}  // namespace

void Finish::scale(float* sums, const int8_t* residual_values, int64_t rows) const {
  const auto channels = static_cast<int64_t>(bias.size());
  for (int64_t row = 0; row < rows; ++row) {
    float* at = sums + row * channels;
    if (residual_values == nullptr) {
      scale_row(bias.data(), multipliers.data(), low, high, channels, at);
    } else {
      add_row(bias.data(),
              multipliers.data(),
              residual_values + row * channels,
              residual,
              low,
              high,
              channels,
              at);
    }
  }
}

void ByteSum::run(const int8_t* a_values,
                  const int8_t* b_values,
                  int64_t count,
                  int8_t* out_values) const {
  constexpr int64_t kBlock = 512;  // floats that pass through the first-level cache at a time
  std::array<float, kBlock> values{};
  const float floor = relu ? 0.0F : std::numeric_limits<float>::lowest();
  for (int64_t i = 0; i < count; i += kBlock) {
    const int64_t size = std::min(kBlock, count - i);
    add_blocks(a_values + i, a, b_values + i, b, floor, size, values.data());
    quantise(values.data(), out.scale, out.zero, size, out_values + i);
  }
}

COPPICE_CLONES
void sum_pixels(const int8_t* x, int32_t zero, int64_t pixels, int64_t channels, int32_t* sums) {
  std::fill_n(sums, channels, static_cast<int32_t>(-pixels * zero));
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; ++c) {
      sums[c] += x[p * channels + c];
    }
  }
}

}  // namespace coppice::runtime::xnnpack
