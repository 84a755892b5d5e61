#pragma once

#include <array>
#include <cstdint>

#include "core/rng.h"

namespace coppice::data {

/// Standard normal numbers by the ziggurat of Marsaglia and Tsang ("The ziggurat method for
/// generating random variables", 2000) with 256 layers: exact, and faster than inverting the
/// distribution. Layer and position come from different bits of one 64-bit number, as Doornik asks
/// for ("An improved ziggurat method", 2005).
class Ziggurat {
 public:
  static const Ziggurat& instance();

  double draw(core::Rng& rng) const {
    const uint64_t bits = rng.next();
    const auto layer = static_cast<size_t>(bits & 255U);
    // 53 signed bits in [-1, 1).
    const double position = static_cast<double>(static_cast<int64_t>(bits) >> 11) * 0x1.0p-52;
    const double x = position * edges_[layer];
    if (position < ratios_[layer] && -position < ratios_[layer]) [[likely]] {
      return x;
    }
    return draw_at_the_edge(rng, layer, x);
  }

 private:
  Ziggurat();
  double draw_at_the_edge(core::Rng& rng, size_t layer, double x) const;

  static constexpr size_t kLayers = 256;
  std::array<double, kLayers + 1> edges_;  ///< right edge of each layer, widest first
  std::array<double, kLayers> ratios_;  ///< share of a layer that lies under the curve for certain
  std::array<double, kLayers + 1> heights_;  ///< the curve at each edge
};

}  // namespace coppice::data
