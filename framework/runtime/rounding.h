#pragma once

#include <cstdint>
#include <limits>

namespace coppice::runtime {

/// Rounds half to even, adds the zero point and saturates to the range of T, as ONNX's
/// QuantizeLinear does. NaN gives the least value. Adding and taking away 1.5 * 2^23 rounds in the
/// FPU's default mode without a call, so loops vectorise; the clamp comes first because the sum is
/// exact only below 2^22 (the bounds are integers, so the order makes no difference).
template <class T>
inline T round_saturate(float value, int32_t zero_point = 0) {
  const float low = static_cast<float>(int32_t{std::numeric_limits<T>::min()} - zero_point);
  const float high = static_cast<float>(int32_t{std::numeric_limits<T>::max()} - zero_point);
  float x = value > low ? value : low;
  x = x < high ? x : high;
  constexpr float kShift = 12582912.0F;
  const float rounded = (x + kShift) - kShift;
  return static_cast<T>(static_cast<int32_t>(rounded) + zero_point);
}

}  // namespace coppice::runtime
