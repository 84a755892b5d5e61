#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
// GCC 12 takes the intrinsics' deliberately undefined operands for mistakes (its bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

/// What our own kernels share. They are compiled for AVX-512 function by function, so that the
/// program still starts on a processor without it.
namespace coppice::runtime::onednn {

/// Whether this processor has what the kernels need: AVX-512 with VNNI (2019 on). Nothing may call
/// them elsewhere.
bool has_avx512();

/// The first `count` of 16 or 64 lanes.
inline uint16_t lanes_of_16(int64_t count) {
  return static_cast<uint16_t>(count >= 16 ? 0xFFFFU : (1U << count) - 1);
}

inline uint64_t lanes_of_64(int64_t count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

#if defined(__x86_64__) && defined(__GNUC__)

#define COPPICE_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define COPPICE_AVX512_INLINE [[gnu::always_inline]] COPPICE_AVX512 inline

/// (sums + bias) * multipliers, as QuantisedLayer says.
COPPICE_AVX512_INLINE __m512 scaled(__m512i sums, const float* bias, const float* multipliers) {
  return _mm512_mul_ps(_mm512_add_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(bias)),
                       _mm512_loadu_ps(multipliers));
}

COPPICE_AVX512_INLINE __m512 clamped(__m512 value, __m512 low, __m512 high) {
  return _mm512_min_ps(_mm512_max_ps(value, low), high);
}

/// sums += a * b. In assembler, since GCC 12 reads what is in memory once for every use.
COPPICE_AVX512_INLINE void accumulate(__m512& sums, __m512 a, __m512 b) {
  asm("vfmadd231ps %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
}

/// a * b, never fused into an addition that follows: that would round once instead of twice.
COPPICE_AVX512_INLINE __m512 product_of(__m512 a, __m512 b) {
  return _mm512_mul_round_ps(a, b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/// x / divisor, correctly rounded, in a fifth of a division's time: the remainder mends the
/// quotient twice (Markstein, IBM J. Res. Dev. 34, 1990). REQUIRES: `reciprocal` is 1 / divisor
/// rounded; the quotient and both are finite and far from underflow, or the quotient is below 1/4.
COPPICE_AVX512_INLINE __m512 quotient(__m512 x, __m512 divisor, __m512 reciprocal) {
  __m512 result = _mm512_mul_ps(x, reciprocal);
  result = _mm512_fmadd_ps(_mm512_fnmadd_ps(result, divisor, x), reciprocal, result);
  return _mm512_fmadd_ps(_mm512_fnmadd_ps(result, divisor, x), reciprocal, result);
}

#endif

}  // namespace coppice::runtime::onednn
