#pragma once

#include <algorithm>

#include "runtime/onednn/direct_product.h"

namespace coppice::runtime::onednn {

/// Of a tile: its sums fill the registers, or are as many as multiply-adds under way.
constexpr int64_t most_pixels(int64_t vectors) {
  constexpr int64_t kSums = 24;
  constexpr int64_t kMost = 12;
  return vectors > 4 ? 1 : std::min(kSums / vectors, kMost);
}

struct TileCall {
  const std::byte* x = nullptr;         ///< of the first pixel
  const std::byte* weights = nullptr;   ///< of the block, 64-byte aligned
  const std::byte* residual = nullptr;  ///< at the output's place, or nullptr
  std::byte* out = nullptr;             ///< at the first channel of the first pixel
  int64_t first_channel = 0;            ///< of the block
};

using Tile = void (*)(const ProductTables& tables, const TileCall& call);

/// What computes `pixels` neighbours by 16 * `vectors` channels of a layer that DirectProduct
/// takes. REQUIRES: 1 <= vectors <= 8; 1 <= pixels <= most_pixels(vectors).
Tile tile_for(bool floats, int64_t pixels, int64_t vectors);

}  // namespace coppice::runtime::onednn
