#pragma once

#include <array>

#include "runtime/onednn/avx512.h"

/// The linear maps of Winograd's filtering, each of one row or column, whose values are a step
/// apart. Those of inputs and results are the Toom-Cook matrices of the points and infinity; the
/// weights' map follows from the points (DirectWinograd::pack).
namespace coppice::runtime::onednn {

#if defined(__x86_64__) && defined(__GNUC__)

struct FourByFour {
  static constexpr int kResults = 4;
  static constexpr int kSide = 6;
  static constexpr std::array<double, 5> kPoints{0, 0.75, -0.75, 1.5, -1.5};

  COPPICE_AVX512_INLINE static void map_inputs(const __m512* x, int step, __m512* y) {
    const __m512 even = _mm512_fnmadd_ps(x[2 * step], all(kFar * kFar), x[4 * step]);
    const __m512 odd = _mm512_fnmadd_ps(x[step], all(kFar * kFar), x[3 * step]);
    const __m512 far_even = _mm512_fnmadd_ps(x[2 * step], all(kNear * kNear), x[4 * step]);
    const __m512 far_odd = _mm512_fnmadd_ps(x[step], all(kNear * kNear), x[3 * step]);
    y[0] = ends(x[0], x[2 * step], x[4 * step]);
    y[1] = _mm512_fmadd_ps(odd, all(kNear), even);
    y[2] = _mm512_fnmadd_ps(odd, all(kNear), even);
    y[3] = _mm512_fmadd_ps(far_odd, all(kFar), far_even);
    y[4] = _mm512_fnmadd_ps(far_odd, all(kFar), far_even);
    y[5] = ends(x[step], x[3 * step], x[5 * step]);
  }

  COPPICE_AVX512_INLINE static void map_results(const __m512* x, int step, __m512* y) {
    const __m512 sum = _mm512_add_ps(x[step], x[2 * step]);
    const __m512 difference = _mm512_sub_ps(x[step], x[2 * step]);
    const __m512 far_sum = _mm512_add_ps(x[3 * step], x[4 * step]);
    const __m512 far_difference = _mm512_sub_ps(x[3 * step], x[4 * step]);
    y[0] = _mm512_add_ps(_mm512_add_ps(x[0], sum), far_sum);
    y[1] = _mm512_fmadd_ps(far_difference, all(kFar), _mm512_mul_ps(difference, all(kNear)));
    y[2] = _mm512_fmadd_ps(far_sum, all(kFar * kFar), _mm512_mul_ps(sum, all(kNear * kNear)));
    y[3] = _mm512_fmadd_ps(far_difference,
                           all(kFar * kFar * kFar),
                           _mm512_fmadd_ps(difference, all(kNear * kNear * kNear), x[5 * step]));
  }

 private:
  static constexpr float kNear = 0.75F;
  static constexpr float kFar = 1.5F;

  COPPICE_AVX512_INLINE static __m512 all(float value) { return _mm512_set1_ps(value); }

  COPPICE_AVX512_INLINE static __m512 ends(__m512 a, __m512 b, __m512 c) {
    return _mm512_fmadd_ps(a,
                           all(kNear * kNear * kFar * kFar),
                           _mm512_fnmadd_ps(b, all(kNear * kNear + kFar * kFar), c));
  }
};

struct TwoByTwo {
  static constexpr int kResults = 2;
  static constexpr int kSide = 4;
  static constexpr std::array<double, 3> kPoints{0, 1, -1};

  COPPICE_AVX512_INLINE static void map_inputs(const __m512* x, int step, __m512* y) {
    y[0] = _mm512_sub_ps(x[2 * step], x[0]);
    y[1] = _mm512_add_ps(x[2 * step], x[step]);
    y[2] = _mm512_sub_ps(x[2 * step], x[step]);
    y[3] = _mm512_sub_ps(x[3 * step], x[step]);
  }

  COPPICE_AVX512_INLINE static void map_results(const __m512* x, int step, __m512* y) {
    y[0] = _mm512_add_ps(x[0], _mm512_add_ps(x[step], x[2 * step]));
    y[1] = _mm512_add_ps(_mm512_sub_ps(x[step], x[2 * step]), x[3 * step]);
  }
};

#endif

}  // namespace coppice::runtime::onednn
