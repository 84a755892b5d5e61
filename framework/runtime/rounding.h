#pragma once

#include <cstdint>
#include <limits>

namespace coppice::runtime {

/// Clamps, rounds half to even and adds the zero point; NaN gives `low`. Adding and taking away
/// 1.5 * 2^23 rounds in the FPU's default mode without a call, so loops vectorise; the clamp comes
/// first because the sum is exact only below 2^22. REQUIRES: the sum lies within T.
template <class T>
inline T round_between(float value, float low, float high, int32_t zero_point) {
  float x = value > low ? value : low;
  x = x < high ? x : high;
  constexpr float kShift = 12582912.0F;
  const float rounded = (x + kShift) - kShift;
  return static_cast<T>(static_cast<int32_t>(rounded) + zero_point);
}

/// The least and the largest value that round_saturate<T> keeps.
template <class T>
constexpr float least_value(int32_t zero_point) {
  return static_cast<float>(int32_t{std::numeric_limits<T>::min()} - zero_point);
}

template <class T>
constexpr float largest_value(int32_t zero_point) {
  return static_cast<float>(int32_t{std::numeric_limits<T>::max()} - zero_point);
}

/// Rounds half to even, adds the zero point and saturates to the range of T, as ONNX's
/// QuantizeLinear does. NaN gives the least value. (The bounds are integers, so it makes no
/// difference that they come before the rounding.)
template <class T>
inline T round_saturate(float value, int32_t zero_point = 0) {
  return round_between<T>(
      value, least_value<T>(zero_point), largest_value<T>(zero_point), zero_point);
}

}  // namespace coppice::runtime
