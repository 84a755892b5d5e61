#include "train/kernels/winograd.h"

#include <algorithm>

#include "train/kernels/winograd_products.h"
#include "train/kernels/winograd_tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define COPPICE_AVX512 __attribute__((target("arch=x86-64-v4")))
#else
#define COPPICE_AVX512
#endif

namespace coppice::train {

namespace {

using namespace winograd;  // NOLINT: the parts of this file

constexpr double kLeastUseful = 0.7;  // of the tiles' results; the rest lies outside of the image

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
