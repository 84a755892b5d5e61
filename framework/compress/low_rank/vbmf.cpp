#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/low_rank/factors.h"

namespace coppice::compress {

namespace {

/// The root of log(t + 1) / t + alpha log(t / alpha + 1) / t = 1: where a component begins to
/// explain more than it costs.
double least_tau(double alpha) {
  const auto excess = [alpha](double t) {
    return std::log1p(t) / t + alpha * std::log1p(t / alpha) / t - 1;
  };
  double low = 1e-12;
  double high = 1;
  while (excess(high) > 0) {
    high *= 2;
  }
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (excess(middle) > 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

struct Vbmf {
  double alpha = 1;    ///< rows / columns, at most 1
  double columns = 1;  ///< the larger side
  double least_x = 0;  ///< of squared values over columns x noise, for a component to count
  Vector squares;

  /// Free energy of all components, as a function of the noise's variance; constants left out.
  double free_energy(double noise) const {
    double sum = 0;
    for (const double square : squares) {
      const double x = square / (columns * noise);
      if (x <= least_x) {
        sum += x - std::log(x);
        continue;
      }
      const double part = x - (1 + alpha);
      const double tau = 0.5 * (part + std::sqrt(part * part - 4 * alpha));
      sum += x - tau + std::log((tau + 1) / x) + alpha * std::log(tau / alpha + 1);
    }
    return sum;
  }

  double noise_between(double low, double high) const {
    constexpr int kGrid = 512;
    const double ratio = std::log(high / low) / kGrid;
    const auto at = [&](double i) {
      return low * std::exp(i * ratio);
    };
    int best = 0;
    for (int i = 1; i <= kGrid; ++i) {  // there may be several valleys
      best = free_energy(at(i)) < free_energy(at(best)) ? i : best;
    }
    double from = std::max(best - 1, 0);
    double to = std::min(best + 1, kGrid);
    for (int i = 0; i < 100; ++i) {
      const double a = from + (to - from) * 0.381966011250105;
      const double b = from + (to - from) * 0.618033988749895;
      if (free_energy(at(a)) < free_energy(at(b))) {
        to = b;
      } else {
        from = a;
      }
    }
    return at((from + to) / 2);
  }
};

}  // namespace

VbmfRank vbmf_rank(const Vector& values, int64_t rows, int64_t columns) {
  const auto small = static_cast<double>(std::min(rows, columns));
  Vbmf vb;
  vb.columns = static_cast<double>(std::max(rows, columns));
  vb.alpha = small / vb.columns;
  const double tau = least_tau(vb.alpha);
  vb.least_x = (1 + tau) * (1 + vb.alpha / tau);
  vb.squares = values.cwiseAbs2();
  const double largest = vb.squares.maxCoeff();
  if (!(largest > 0)) {
    return {};
  }
  vb.squares = vb.squares.cwiseMax(largest * 1e-14);  // exact zeros have no logarithm
  // At most so many components can be signal, so the rest bounds the noise from below.
  const auto most = std::max<int64_t>(
      0,
      std::min<int64_t>(static_cast<int64_t>(std::ceil(small / (1 + vb.alpha))) - 1,
                        vb.squares.size() - 1));
  const auto rest = vb.squares.tail(vb.squares.size() - most);
  const double low = std::max(rest[0] / (vb.columns * vb.least_x), rest.mean() / vb.columns);
  const double high = vb.squares.sum() / (small * vb.columns);
  VbmfRank found;
  found.noise = low < high ? vb.noise_between(low, high) : low;
  found.rank = (vb.squares.array() > vb.columns * found.noise * vb.least_x).count();
  return found;
}

}  // namespace coppice::compress
