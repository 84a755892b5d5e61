#pragma once

#include <cstdint>
#include <type_traits>

#include "train/kernels/winograd.h"
#include "train/kernels/winograd_maps.h"

namespace coppice::train::winograd {

constexpr int64_t kSums = 16;   // vectors that stay in registers
constexpr int64_t kTiles = 32;  // of a block: what belongs to it stays in the second-level cache
constexpr int64_t kPanel = kTiles * kLanes;

/// Where the elements of two factors and their product lie, in floats; products are summed over
/// outer x inner pairs. Most are constants where it is used, so that all rows are reached from one
/// register.
struct Steps {
  int64_t a_row;
  int64_t a_inner;
  int64_t a_outer;
  int64_t b_inner;
  int64_t b_outer;
  int64_t b_vector;  ///< between neighbouring vectors of columns
  int64_t c_row;
  int64_t c_vector;
  int64_t inner;
  int64_t outer;
};

/// c = a b, or c += a b, for Rows rows and Width vectors of columns.
template <int64_t Rows, int64_t Width, bool Add>
COPPICE_INLINE void multiply(const Steps& steps, const float* a, const float* b, float* c) {
  Lanes sums[Rows][Width];
#pragma GCC unroll 16
  for (int64_t i = 0; i < Rows; ++i) {
#pragma GCC unroll 2
    for (int64_t j = 0; j < Width; ++j) {
      const float* old = c + i * steps.c_row + j * steps.c_vector;
      sums[i][j] = Add ? *reinterpret_cast<const Lanes*>(old) : Lanes{};
    }
  }
  for (int64_t outer = 0; outer < steps.outer; ++outer) {
    for (int64_t inner = 0; inner < steps.inner; ++inner) {
      const float* left = a + outer * steps.a_outer + inner * steps.a_inner;
      const float* right = b + outer * steps.b_outer + inner * steps.b_inner;
#pragma GCC unroll 16
      for (int64_t i = 0; i < Rows; ++i) {
#pragma GCC unroll 2
        for (int64_t j = 0; j < Width; ++j) {
          const auto* line = reinterpret_cast<const Lanes*>(right + j * steps.b_vector);
          sums[i][j] += left[i * steps.a_row] * *line;
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int64_t i = 0; i < Rows; ++i) {
#pragma GCC unroll 2
    for (int64_t j = 0; j < Width; ++j) {
      *reinterpret_cast<Lanes*>(c + i * steps.c_row + j * steps.c_vector) = sums[i][j];
    }
  }
}

/// Calls piece(column, how many vectors) for all `columns`: two vectors at a time, or one.
template <class Piece>
COPPICE_INLINE void for_vectors(int64_t columns, Piece piece) {
  int64_t j = 0;
  for (; j + 2 * kLanes <= columns; j += 2 * kLanes) {
    piece(j, std::integral_constant<int64_t, 2>());
  }
  if (j < columns) {
    piece(j, std::integral_constant<int64_t, 1>());
  }
}

/// results[tile, out] = inputs[tile, in] weights[in, out] at one position.
COPPICE_INLINE void multiply_tiles(
    const Winograd& op, int64_t tiles, const float* inputs, const float* weights, float* results) {
  const Steps steps{.a_row = kLanes,
                    .a_inner = 1,
                    .a_outer = kPanel,
                    .b_inner = op.out,
                    .b_outer = op.out * kLanes,
                    .b_vector = kLanes,
                    .c_row = kLanes,
                    .c_vector = kPanel,
                    .inner = kLanes,
                    .outer = op.in / kLanes};
  for_vectors(op.out, [&](int64_t j, auto width) COPPICE_INLINE_BODY {
    constexpr int64_t kRows = kSums / width.value;
    for (int64_t i = 0; i < tiles; i += kRows) {  // the last may go on to the next multiple
      multiply<kRows, width.value, false>(
          steps, inputs + i * kLanes, weights + j, results + j * kTiles + i * kLanes);
    }
  });
}

/// sums[in, out] += inputs[tile, in]' gradients[tile, out] at one position.
COPPICE_INLINE void multiply_channels(
    const Winograd& op, int64_t tiles, const float* inputs, const float* gradients, float* sums) {
  const Steps steps{.a_row = 1,
                    .a_inner = kLanes,
                    .a_outer = 0,
                    .b_inner = kLanes,
                    .b_outer = 0,
                    .b_vector = kPanel,
                    .c_row = op.out,
                    .c_vector = kLanes,
                    .inner = tiles,
                    .outer = 1};
  for_vectors(op.out, [&](int64_t j, auto width) COPPICE_INLINE_BODY {
    constexpr int64_t kRows = kSums / width.value;
    for (int64_t i = 0; i < op.in; i += kRows) {
      multiply<kRows, width.value, true>(steps,
                                         inputs + i / kLanes * kPanel + i % kLanes,
                                         gradients + j * kTiles,
                                         sums + i * op.out + j);
    }
  });
}

}  // namespace coppice::train::winograd
