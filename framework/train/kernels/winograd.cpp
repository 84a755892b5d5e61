#include "train/kernels/winograd.h"

#include <algorithm>
#include <type_traits>

#if defined(__x86_64__) && defined(__GNUC__)
#define COPPICE_AVX512 __attribute__((target("arch=x86-64-v4")))
#else
#define COPPICE_AVX512
#endif
#define COPPICE_INLINE inline __attribute__((always_inline))
#define COPPICE_INLINE_BODY \
  __attribute__((always_inline))  // a lambda that stays a call is not vector code

namespace coppice::train {

namespace {

/// Of 16 neighbouring channels. Handed on by address only: by value it would have no ABI without
/// AVX-512.
using Lanes __attribute__((vector_size(64), may_alias)) = float;

constexpr int64_t kLanes = 16;
constexpr int64_t kSide = 6;     // of a tile of inputs
constexpr int64_t kResults = 4;  // of a tile of results
constexpr int64_t kKernel = 3;
constexpr int64_t kSums = 16;   // vectors that stay in registers
constexpr int64_t kTiles = 32;  // of a block: what belongs to it stays in the second-level cache
constexpr int64_t kPanel = kTiles * kLanes;
constexpr double kLeastUseful = 0.7;  // of the tiles' results; the rest lies outside of the image

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

/// What is read outside of an image.
alignas(64) constexpr float kZeros[kLanes] = {};

struct Tile {
  int64_t image;  ///< where the tile's sample begins, in floats
  int64_t row;    ///< of its first result
  int64_t column;
};

COPPICE_INLINE Tile tile_of(const Winograd& op, int64_t channels, int64_t i) {
  const int64_t across = op.tiles_across();
  const int64_t of_image = op.tiles_down() * across;
  const int64_t within = i % of_image;
  return {i / of_image * op.height * op.width * channels,
          within / across * kResults,
          within % across * kResults};
}

/// A tile of `images`, zero outside of them, mapped both ways to 6 x 6 values, `position_step`
/// floats apart.
template <class Map>
COPPICE_INLINE void read_tile(const Winograd& op,
                              const Tile& tile,
                              const float* images,
                              int64_t channels,
                              float* to,
                              int64_t position_step) {
  const int64_t row = tile.row - Map::kBorder;
  const int64_t column = tile.column - Map::kBorder;
  Lanes rows[Map::kFrom][kSide];
  for (int64_t r = 0; r < Map::kFrom; ++r) {
    Lanes line[Map::kFrom];
    const bool inside = row + r >= 0 && row + r < op.height;
    const float* from = images + tile.image + ((row + r) * op.width + column) * channels;
#pragma GCC unroll 6
    for (int64_t c = 0; c < Map::kFrom; ++c) {
      const bool there = inside && column + c >= 0 && column + c < op.width;
      line[c] = *reinterpret_cast<const Lanes*>(there ? from + c * channels : kZeros);
    }
    Map::map(line, 1, rows[r], 1);
  }
#pragma GCC unroll 6
  for (int64_t c = 0; c < kSide; ++c) {
    Lanes values[kSide];
    Map::map(&rows[0][c], kSide, values, 1);
#pragma GCC unroll 6
    for (int64_t r = 0; r < kSide; ++r) {
      *reinterpret_cast<Lanes*>(to + (r * kSide + c) * position_step) = values[r];
    }
  }
}

/// `added` may be null.
COPPICE_INLINE void write_results(const Winograd& op,
                                  const Tile& tile,
                                  const float* from,
                                  int64_t position_step,
                                  const float* added,
                                  float* y) {
  Lanes rows[kResults][kSide];
#pragma GCC unroll 6
  for (int64_t c = 0; c < kSide; ++c) {
    Lanes column[kSide];
#pragma GCC unroll 6
    for (int64_t r = 0; r < kSide; ++r) {
      column[r] = *reinterpret_cast<const Lanes*>(from + (r * kSide + c) * position_step);
    }
    map_result(column, 1, &rows[0][c], kSide);
  }
  for (int64_t r = 0; r < std::min(kResults, op.height - tile.row); ++r) {
    Lanes line[kResults];
    map_result(rows[r], 1, line, 1);
    const int64_t start = ((tile.row + r) * op.width + tile.column) * op.out;
    for (int64_t c = 0; c < std::min(kResults, op.width - tile.column); ++c) {
      if (added != nullptr) {
        line[c] += *reinterpret_cast<const Lanes*>(added + start + c * op.out);
      }
      *reinterpret_cast<Lanes*>(y + start + c * op.out) = line[c];
    }
  }
}

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

/// Floats between two positions of a block: [36, channels / 16, tiles, 16]. Not a multiple of 4
/// KiB, or the 36 vectors of a tile would fight for the same places of the first-level cache.
COPPICE_INLINE int64_t position_step(int64_t channels) {
  return kTiles * channels + kLanes;
}

/// A block of tiles, transformed; returns how many there are.
template <class Map>
COPPICE_INLINE int64_t
read_block(const Winograd& op, int64_t first, const float* images, int64_t channels, float* to) {
  const int64_t count = std::min(kTiles, op.tiles() - first);
  for (int64_t i = 0; i < count; ++i) {
    const Tile tile = tile_of(op, channels, first + i);
    for (int64_t c = 0; c < channels; c += kLanes) {
      read_tile<Map>(
          op, tile, images + c, channels, to + c * kTiles + i * kLanes, position_step(channels));
    }
  }
  return count;
}

}  // namespace

bool Winograd::pays() const {
#if defined(__x86_64__) && defined(__GNUC__)
  const bool fast = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
  const bool fast = false;
#endif
  const auto results = static_cast<double>(tiles_down() * tiles_across() * kResults * kResults);
  return fast && in % kLanes == 0 && out % kLanes == 0 &&
         static_cast<double>(height * width) > kLeastUseful * results;
}

int64_t Winograd::samples_together() const {
  const int64_t of_sample = tiles_down() * tiles_across();
  return (kTiles + of_sample - 1) / of_sample;
}

int64_t Winograd::scratch() const {
  return kPositions * (position_step(in) + position_step(out));
}

COPPICE_AVX512 void winograd_weights(const Winograd& op,
                                     const float* weights,
                                     bool turn,
                                     float* transformed) {
  const int64_t rows = turn ? op.out : op.in;
  const int64_t columns = turn ? op.in : op.out;
  constexpr int64_t kTaps = kKernel * kKernel;
  const int64_t row_step = turn ? op.in * kTaps : kTaps;
  const int64_t column_step = turn ? kTaps : op.in * kTaps;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; column += kLanes) {
      const float* from = weights + row * row_step + column * column_step;
      Lanes taps[kTaps];
      for (int64_t tap = 0; tap < kTaps; ++tap) {
        for (int64_t lane = 0; lane < kLanes; ++lane) {
          taps[tap][lane] = from[lane * column_step + (turn ? kTaps - 1 - tap : tap)];
        }
      }
      Lanes lines[kKernel][kSide];
      for (int64_t r = 0; r < kKernel; ++r) {
        map_weight(taps + r * kKernel, 1, lines[r], 1);
      }
      for (int64_t c = 0; c < kSide; ++c) {
        Lanes values[kSide];
        map_weight(&lines[0][c], kSide, values, 1);
        for (int64_t r = 0; r < kSide; ++r) {
          float* to = transformed + ((r * kSide + c) * rows + row) * columns + column;
          *reinterpret_cast<Lanes*>(to) = values[r];
        }
      }
    }
  }
}

COPPICE_AVX512 void winograd_forward(const Winograd& op,
                                     const float* x,
                                     const float* transformed,
                                     const float* added,
                                     float* y,
                                     float* scratch) {
  float* inputs = scratch;
  float* results = scratch + Winograd::kPositions * position_step(op.in);
  for (int64_t first = 0; first < op.tiles(); first += kTiles) {
    const int64_t count = read_block<OfInputs>(op, first, x, op.in, inputs);
    for (int64_t position = 0; position < Winograd::kPositions; ++position) {
      multiply_tiles(op,
                     count,
                     inputs + position * position_step(op.in),
                     transformed + position * op.in * op.out,
                     results + position * position_step(op.out));
    }
    for (int64_t i = 0; i < count; ++i) {
      const Tile tile = tile_of(op, op.out, first + i);
      for (int64_t c = 0; c < op.out; c += kLanes) {
        write_results(op,
                      tile,
                      results + c * kTiles + i * kLanes,
                      position_step(op.out),
                      added == nullptr ? nullptr : added + tile.image + c,
                      y + tile.image + c);
      }
    }
  }
}

COPPICE_AVX512 void winograd_gradient(
    const Winograd& op, const float* x, const float* dy, float* transformed, float* scratch) {
  float* inputs = scratch;
  float* gradients = scratch + Winograd::kPositions * position_step(op.in);
  for (int64_t first = 0; first < op.tiles(); first += kTiles) {
    const int64_t count = read_block<OfInputs>(op, first, x, op.in, inputs);
    read_block<OfGradients>(op, first, dy, op.out, gradients);
    for (int64_t position = 0; position < Winograd::kPositions; ++position) {
      multiply_channels(op,
                        count,
                        inputs + position * position_step(op.in),
                        gradients + position * position_step(op.out),
                        transformed + position * op.in * op.out);
    }
  }
}

COPPICE_AVX512 void winograd_weight_gradient(const Winograd& op,
                                             int64_t parts,
                                             const float* transformed,
                                             float* weights) {
  constexpr int64_t kTaps = kKernel * kKernel;
  for (int64_t in = 0; in < op.in; ++in) {
    for (int64_t out = 0; out < op.out; out += kLanes) {
      Lanes columns[kSide][kKernel];
      for (int64_t r = 0; r < kSide; ++r) {
        Lanes line[kSide];
        for (int64_t c = 0; c < kSide; ++c) {
          const float* from = transformed + ((r * kSide + c) * op.in + in) * op.out + out;
          line[c] = *reinterpret_cast<const Lanes*>(from);
          for (int64_t part = 1; part < parts; ++part) {
            line[c] += *reinterpret_cast<const Lanes*>(from + part * op.transformed());
          }
        }
        map_weight_back(line, 1, columns[r], 1);
      }
      for (int64_t c = 0; c < kKernel; ++c) {
        Lanes taps[kKernel];
        map_weight_back(&columns[0][c], kKernel, taps, 1);
        for (int64_t r = 0; r < kKernel; ++r) {
          for (int64_t lane = 0; lane < kLanes; ++lane) {
            weights[((out + lane) * op.in + in) * kTaps + r * kKernel + c] = taps[r][lane];
          }
        }
      }
    }
  }
}

}  // namespace coppice::train
