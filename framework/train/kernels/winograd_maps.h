#pragma once

#include <cstdint>

// Always inlined, into functions that are compiled for AVX-512: so for winograd.cpp alone.

#define COPPICE_INLINE inline __attribute__((always_inline))
#define COPPICE_INLINE_BODY \
  __attribute__((always_inline))  // a lambda that stays a call is not vector code

namespace coppice::train::winograd {

/// Of 16 neighbouring channels. Handed on by address only: by value it would have no ABI without
/// AVX-512.
using Lanes __attribute__((vector_size(64), may_alias)) = float;

constexpr int64_t kLanes = 16;
constexpr int64_t kSide = 6;     // of a tile of inputs
constexpr int64_t kResults = 4;  // of a tile of results
constexpr int64_t kKernel = 3;

// The linear maps, each of one row or column, whose values are a step apart.

/// B': inputs. A tile of them begins one pixel before its results.
struct OfInputs {
  static constexpr int64_t kFrom = kSide;
  static constexpr int64_t kBorder = 1;

  COPPICE_INLINE static void map(const Lanes* in, int64_t step, Lanes* out, int64_t out_step) {
    const Lanes even = in[4 * step] - 4.0F * in[2 * step];
    const Lanes odd = in[3 * step] - 4.0F * in[step];
    const Lanes far_even = in[4 * step] - in[2 * step];
    const Lanes far_odd = 2.0F * (in[3 * step] - in[step]);
    out[0] = 4.0F * (in[0] - in[2 * step]) + far_even;
    out[out_step] = even + odd;
    out[2 * out_step] = even - odd;
    out[3 * out_step] = far_even + far_odd;
    out[4 * out_step] = far_even - far_odd;
    out[5 * out_step] = 4.0F * (in[step] - in[3 * step]) + in[5 * step] - in[3 * step];
  }
};

/// A: gradients by results.
struct OfGradients {
  static constexpr int64_t kFrom = kResults;
  static constexpr int64_t kBorder = 0;

  COPPICE_INLINE static void map(const Lanes* in, int64_t step, Lanes* out, int64_t out_step) {
    const Lanes even = in[0] + in[2 * step];
    const Lanes odd = in[step] + in[3 * step];
    const Lanes far_even = in[0] + 4.0F * in[2 * step];
    const Lanes far_odd = 2.0F * in[step] + 8.0F * in[3 * step];
    out[0] = in[0];
    out[out_step] = even + odd;
    out[2 * out_step] = even - odd;
    out[3 * out_step] = far_even + far_odd;
    out[4 * out_step] = far_even - far_odd;
    out[5 * out_step] = in[3 * step];
  }
};

/// A': results.
COPPICE_INLINE void map_result(const Lanes* in, int64_t step, Lanes* out, int64_t out_step) {
  const Lanes near_sum = in[step] + in[2 * step];
  const Lanes near_difference = in[step] - in[2 * step];
  const Lanes far_sum = in[3 * step] + in[4 * step];
  const Lanes far_difference = in[3 * step] - in[4 * step];
  out[0] = in[0] + near_sum + far_sum;
  out[out_step] = near_difference + 2.0F * far_difference;
  out[2 * out_step] = near_sum + 4.0F * far_sum;
  out[3 * out_step] = near_difference + 8.0F * far_difference + in[5 * step];
}

/// G: weights.
COPPICE_INLINE void map_weight(const Lanes* in, int64_t step, Lanes* out, int64_t out_step) {
  const Lanes even = (in[0] + in[2 * step]) * (-1.0F / 6);
  const Lanes odd = in[step] * (1.0F / 6);
  const Lanes far_even = in[0] * (1.0F / 24) + in[2 * step] * (1.0F / 6);
  const Lanes far_odd = in[step] * (1.0F / 12);
  out[0] = in[0] * 0.25F;
  out[out_step] = even - odd;
  out[2 * out_step] = even + odd;
  out[3 * out_step] = far_even + far_odd;
  out[4 * out_step] = far_even - far_odd;
  out[5 * out_step] = in[2 * step];
}

/// G': gradients by transformed weights.
COPPICE_INLINE void map_weight_back(const Lanes* in, int64_t step, Lanes* out, int64_t out_step) {
  const Lanes near_sum = (in[step] + in[2 * step]) * (-1.0F / 6);
  const Lanes far_sum = in[3 * step] + in[4 * step];
  out[0] = in[0] * 0.25F + near_sum + far_sum * (1.0F / 24);
  out[out_step] =
      (in[2 * step] - in[step]) * (1.0F / 6) + (in[3 * step] - in[4 * step]) * (1.0F / 12);
  out[2 * out_step] = near_sum + far_sum * (1.0F / 6) + in[5 * step];
}

}  // namespace coppice::train::winograd
