#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Loops over 8-bit values that oneDNN has no exact or fast primitive for. `is_signed` tells i8
/// from u8.
namespace coppice::runtime::onednn {

void bytes_to_floats(const std::byte* x, bool is_signed, int64_t count, float* out);

/// Rounds x / scale half to even and saturates, as QuantizeLinear does.
void quantise_floats(const float* x, float scale, bool is_signed, int64_t count, std::byte* out);

/// a * scale_a + b * scale_b, clamped at 0 with `relu`.
struct WeightedSum {
  float scale_a = 1;
  float scale_b = 1;
  bool relu = false;
};

void add_floats(const WeightedSum& sum, const float* a, const float* b, int64_t count, float* out);

/// Sums over pixels of [pixels, channels] for channels [first, first + count); count <=
/// kSumChannels.
inline constexpr int64_t kSumChannels = 64;
void sum_pixels(const std::byte* x,
                bool is_signed,
                int64_t pixels,
                int64_t channels,
                int64_t count,
                int32_t* sums);

/// Largest values per byte of `rows` rows of `count` bytes that lie `stride` apart.
void largest_of_rows(const std::byte* x,
                     bool is_signed,
                     int64_t rows,
                     int64_t stride,
                     int64_t count,
                     std::byte* out);

/// Windows along a row of [width, channels]: out[i] is the largest of pixels [first[i], last[i]),
/// each not empty. Reads and writes up to kRowSlack bytes behind the ends of both rows.
inline constexpr int64_t kRowSlack = 16;

struct RowWindows {
  std::vector<int64_t> first;
  std::vector<int64_t> last;
};

void largest_of_pixels(const std::byte* x,
                       bool is_signed,
                       const RowWindows& windows,
                       int64_t channels,
                       std::byte* out);

}  // namespace coppice::runtime::onednn
