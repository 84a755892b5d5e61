#pragma once

#include "runtime/onednn/direct_product.h"

namespace coppice::runtime::onednn {

inline constexpr int64_t kTilePixels = 6;

struct TileCall {
  const std::byte* x = nullptr;         ///< of the first pixel
  const std::byte* residual = nullptr;  ///< at the output's place, or nullptr
  std::byte* out = nullptr;             ///< at the first channel of the first pixel
  int64_t first_channel = 0;            ///< of the block
};

/// Computes `pixels` neighbours by 16 * `vectors` channels. REQUIRES: the layer is one that
/// DirectProduct takes; 1 <= pixels <= kTilePixels; 1 <= vectors <= 4, or <= 8 for one pixel.
void run_tile(const ProductTables& tables, const TileCall& call, int64_t pixels, int64_t vectors);

}  // namespace coppice::runtime::onednn
