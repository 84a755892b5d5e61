#pragma once

#include <algorithm>
#include <cstdint>

#include "train/kernels/winograd.h"
#include "train/kernels/winograd_maps.h"

namespace coppice::train::winograd {

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

}  // namespace coppice::train::winograd
