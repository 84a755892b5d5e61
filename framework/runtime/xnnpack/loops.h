#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Loops over native values that XNNPACK has no exact operator for.
namespace coppice::runtime::xnnpack {

/// x - zero, the integers as floats.
void widen(const int8_t* x, int32_t zero, int64_t count, float* out);

/// round(x / scale) + zero, saturated.
void quantise(const float* x, float scale, int32_t zero, int64_t count, int8_t* out);

/// A native 8-bit value: (q - zero) * scale.
struct Scaled {
  float scale = 1;
  int32_t zero = 0;
};

/// What makes a layer's values of its sums: (sum + bias) * multiplier + residual, clamped.
struct Finish {
  std::vector<float> bias;         ///< per channel
  std::vector<float> multipliers;  ///< per channel
  Scaled residual;
  float low = 0;
  float high = 0;
  int32_t zero = 0;  ///< of an 8-bit result

  /// Sums [rows, channels] in place. `residual` may be nullptr.
  void scale(float* sums, const int8_t* residual, int64_t rows) const;
};

/// clamp(a + b, low) / scale + zero, rounded and saturated.
struct ByteSum {
  Scaled a;
  Scaled b;
  Scaled out;
  bool relu = false;

  void run(const int8_t* a_values, const int8_t* b_values, int64_t count, int8_t* out_values) const;
};

/// Sums of x - zero over the pixels of [pixels, channels].
void sum_pixels(const int8_t* x, int32_t zero, int64_t pixels, int64_t channels, int32_t* sums);

}  // namespace coppice::runtime::xnnpack
