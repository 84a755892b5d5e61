#include "data/transforms/poisson.h"

#include <cmath>

namespace coppice::data {

namespace {

int64_t multiply_uniforms(double mean, core::Rng& rng) {
  const double limit = std::exp(-mean);
  int64_t count = 0;
  for (double product = rng.uniform(); product > limit; product *= rng.uniform()) {
    ++count;
  }
  return count;
}

/// std::lgamma writes a global.
double log_factorial(double k) {
  int sign = 0;
  return lgamma_r(k + 1, &sign);
}

int64_t transform_and_reject(double mean, core::Rng& rng) {
  const double root = std::sqrt(mean);
  const double b = 0.931 + 2.53 * root;
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double squeeze = 0.9277 - 3.6224 / (b - 2);
  while (true) {
    const double u = rng.uniform() - 0.5;
    const double v = 1 - rng.uniform();  // never 0
    const double distance = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / distance + b) * u + mean + 0.43);
    if (distance >= 0.07 && v <= squeeze) {
      return static_cast<int64_t>(k);
    }
    if (k < 0 || (distance < 0.013 && v > distance)) {
      continue;
    }
    const double bound = k * std::log(mean) - mean - log_factorial(k);
    if (std::log(v * inverse_alpha / (a / (distance * distance) + b)) <= bound) {
      return static_cast<int64_t>(k);
    }
  }
}

}  // namespace

int64_t draw_poisson(double mean, core::Rng& rng) {
  constexpr double kSmall = 10;
  return mean < kSmall ? multiply_uniforms(mean, rng) : transform_and_reject(mean, rng);
}

}  // namespace coppice::data
