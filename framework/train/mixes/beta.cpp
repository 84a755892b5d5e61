#include "train/mixes/beta.h"

#include <cmath>

namespace coppice::train {

namespace {

/// Logarithm of a draw from Gamma(shape, 1): small shapes give numbers too small for themselves.
double draw_log_gamma(double shape, core::Rng& rng) {
  if (shape < 1) {
    return draw_log_gamma(shape + 1, rng) + std::log(1 - rng.uniform()) / shape;
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = rng.normal();
    const double v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(1 - rng.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return std::log(d * v);
    }
  }
}

}  // namespace

double draw_beta(double alpha, core::Rng& rng) {
  const double a = draw_log_gamma(alpha, rng);
  const double b = draw_log_gamma(alpha, rng);
  return 1 / (1 + std::exp(b - a));
}

}  // namespace coppice::train
