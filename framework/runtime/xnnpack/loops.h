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
class Finish {
 public:
  /// Limits of the values, and the zero point of an 8-bit result.
  struct Range {
    float low = 0;
    float high = 0;
    int32_t zero = 0;
  };

  /// `bias` and `multipliers` per channel. `added` {0, 0}: the residual counts for nothing.
  Finish(const std::vector<float>& bias,
         const std::vector<float>& multipliers,
         Scaled added,
         Range range);

  /// Of sums whose last dimension is the channels. `residual` may be nullptr where `added` is {0,
  /// 0}.
  void to_floats(float* sums, const int8_t* residual, int64_t count) const;
  void to_bytes(const float* sums, const int8_t* residual, int64_t count, int8_t* out) const;

 private:
  int64_t period() const { return static_cast<int64_t>(bias_.size()); }

  /// Those of all channels, over and over, so that a loop need not stop at the last channel.
  std::vector<float> bias_;
  std::vector<float> multipliers_;
  std::vector<int8_t> no_residual_;
  Scaled added_;
  Range range_;
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
