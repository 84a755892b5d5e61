#include "runtime/xnnpack/loops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/every_cpu.h"
#include "runtime/rounding.h"

namespace coppice::runtime::xnnpack {

COPPICE_FOR_EVERY_CPU
void widen(const int8_t* x, int32_t zero, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(x[i] - zero);
  }
}

COPPICE_FOR_EVERY_CPU
void quantise(const float* x, float scale, int32_t zero, int64_t count, int8_t* out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = round_saturate<int8_t>(x[i] / scale, zero);
  }
}

namespace {

/// Where one block of a Finish reads.
struct FinishBlock {
  const float* bias;
  const float* multipliers;
  const int8_t* residual;
  Scaled added;
  Finish::Range range;

  [[gnu::always_inline]] float value(float sum, int64_t i) const {
    return std::fma(static_cast<float>(residual[i] - added.zero),
                    added.scale,
                    (sum + bias[i]) * multipliers[i]);
  }
};

COPPICE_FOR_EVERY_CPU
void finish_floats(FinishBlock block, int64_t count, float* sums) {
  for (int64_t i = 0; i < count; ++i) {
    sums[i] = std::min(std::max(block.value(sums[i], i), block.range.low), block.range.high);
  }
}

COPPICE_FOR_EVERY_CPU
void finish_bytes(FinishBlock block, const float* sums, int64_t count, int8_t* __restrict out) {
  const Finish::Range range = block.range;
  for (int64_t i = 0; i < count; ++i) {
    out[i] = round_between<int8_t>(block.value(sums[i], i), range.low, range.high, range.zero);
  }
}

std::vector<float> repeated(const std::vector<float>& values) {
  constexpr size_t kLeast = 256;
  std::vector<float> result;
  do {
    result.insert(result.end(), values.begin(), values.end());
  } while (result.size() < kLeast && !values.empty());
  return result;
}

/// a * scale + b * scale of a block, and no less than the floor.
COPPICE_FOR_EVERY_CPU
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

Finish::Finish(const std::vector<float>& bias,
               const std::vector<float>& multipliers,
               Scaled added,
               Range range)
    : bias_(repeated(bias)),
      multipliers_(repeated(multipliers)),
      no_residual_(bias_.size()),
      added_(added),
      range_(range) {}

void Finish::to_floats(float* sums, const int8_t* residual, int64_t count) const {
  for (int64_t at = 0; at < count; at += period()) {
    const int8_t* added = residual == nullptr ? no_residual_.data() : residual + at;
    finish_floats({bias_.data(), multipliers_.data(), added, added_, range_},
                  std::min(period(), count - at),
                  sums + at);
  }
}

void Finish::to_bytes(const float* sums, const int8_t* residual, int64_t count, int8_t* out) const {
  const Range range{std::max(range_.low, least_value<int8_t>(range_.zero)),
                    std::min(range_.high, largest_value<int8_t>(range_.zero)),
                    range_.zero};
  for (int64_t at = 0; at < count; at += period()) {
    const int8_t* added = residual == nullptr ? no_residual_.data() : residual + at;
    finish_bytes({bias_.data(), multipliers_.data(), added, added_, range},
                 sums + at,
                 std::min(period(), count - at),
                 out + at);
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

COPPICE_FOR_EVERY_CPU
void sum_pixels(const int8_t* x, int32_t zero, int64_t pixels, int64_t channels, int32_t* sums) {
  std::fill_n(sums, channels, static_cast<int32_t>(-pixels * zero));
  for (int64_t p = 0; p < pixels; ++p) {
    for (int64_t c = 0; c < channels; ++c) {
      sums[c] += x[p * channels + c];
    }
  }
}

}  // namespace coppice::runtime::xnnpack
