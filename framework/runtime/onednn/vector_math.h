#pragma once

#include <cstdint>

/// 16 floats in the compiler's own terms, so that one source serves every processor: inlined into a
/// function for AVX-512 they are a register, elsewhere several. Handed on by address only: by value
/// they would have no fixed ABI.
namespace coppice::runtime::onednn {

using Lanes __attribute__((vector_size(64), may_alias)) = float;
using IntegerLanes __attribute__((vector_size(64), may_alias)) = int32_t;

inline constexpr int64_t kLaneCount = 16;

#define COPPICE_LANES_INLINE [[gnu::always_inline]] inline

COPPICE_LANES_INLINE void limit(Lanes& x, float low, float high) {
  x = x < low ? Lanes{} + low : x;
  x = x > high ? Lanes{} + high : x;
}

/// e^x to the last bit but one for |x| <= 87, which others are limited to.
COPPICE_LANES_INLINE void exponential(Lanes& x) {
  constexpr float kRange = 87;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;  // few bits: a product with it is exact
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kToInteger = 12582912;  // 1.5 * 2^23: the sum's last bits are the integer
  constexpr int32_t kMantissaBits = 23;
  constexpr int32_t kOne = 127;  // exponent of 1
  limit(x, -kRange, kRange);
  const Lanes shifted = x * kLog2E + kToInteger;
  const Lanes integer = shifted - kToInteger;
  const Lanes rest = (x - integer * kLn2High) - integer * kLn2Low;
  Lanes series = rest * (1.0F / 5040) + 1.0F / 720;
  series = series * rest + 1.0F / 120;
  series = series * rest + 1.0F / 24;
  series = series * rest + 1.0F / 6;
  series = series * rest + 0.5F;
  series = series * rest * rest + rest + 1.0F;
  const IntegerLanes power =
      reinterpret_cast<const IntegerLanes&>(shifted) - static_cast<int32_t>(0x4B400000) + kOne;
  const IntegerLanes bits = power << kMantissaBits;
  x = series * reinterpret_cast<const Lanes&>(bits);
}

COPPICE_LANES_INLINE void sigmoid(Lanes& x) {
  x = -x;
  exponential(x);
  x = 1.0F / (1.0F + x);
}

/// 2 sigmoid(2 x) - 1, which is off by 1e-7 of 1.
COPPICE_LANES_INLINE void hyperbolic_tangent(Lanes& x) {
  x = -2.0F * x;
  exponential(x);
  x = (1.0F - x) / (1.0F + x);
}

}  // namespace coppice::runtime::onednn
