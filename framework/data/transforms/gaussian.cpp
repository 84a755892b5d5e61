#include "data/transforms/gaussian.h"

#include <cmath>
#include <numbers>

namespace coppice::data {

namespace {

constexpr double kTailStart = 3.6541528853610088;  // for 256 layers of equal area

double curve(double x) {
  return std::exp(-0.5 * x * x);
}

}  // namespace

const Ziggurat& Ziggurat::instance() {
  static const Ziggurat instance;
  return instance;
}

Ziggurat::Ziggurat() {
  // The lowest layer is a rectangle up to the tail and the tail; its edge is that of a rectangle of
  // the same area.
  const double tail = std::sqrt(std::numbers::pi / 2) * std::erfc(kTailStart / std::numbers::sqrt2);
  const double layer_area = kTailStart * curve(kTailStart) + tail;
  edges_[0] = layer_area / curve(kTailStart);
  edges_[1] = kTailStart;
  heights_[0] = 0;
  heights_[1] = curve(kTailStart);
  for (size_t i = 2; i < kLayers; ++i) {
    heights_[i] = heights_[i - 1] + layer_area / edges_[i - 1];
    edges_[i] = std::sqrt(-2 * std::log(heights_[i]));
  }
  edges_[kLayers] = 0;
  heights_[kLayers] = 1;
  for (size_t i = 0; i < kLayers; ++i) {
    ratios_[i] = edges_[i + 1] / edges_[i];
  }
}

double Ziggurat::draw_at_the_edge(core::Rng& rng, size_t layer, double x) const {
  if (layer == 0) {
    // Marsaglia's tail: exact for x beyond the last edge.
    while (true) {
      const double beyond = -std::log1p(-rng.uniform()) / kTailStart;
      const double height = -std::log1p(-rng.uniform());
      if (2 * height > beyond * beyond) {
        return x < 0 ? -kTailStart - beyond : kTailStart + beyond;
      }
    }
  }
  const double height = heights_[layer] + (heights_[layer + 1] - heights_[layer]) * rng.uniform();
  return height < curve(x) ? x : draw(rng);
}

}  // namespace coppice::data
