#include <algorithm>
#include <cmath>

#include "data/transforms/series/series.h"

namespace coppice::data {

namespace {

/// Second derivatives at the knots, one apart from each other: continuous first derivatives inside,
/// and, at both ends, one cubic over the first and over the last two intervals.
std::vector<double> curvatures(const std::vector<double>& knots) {
  const size_t n = knots.size();
  // Inside: m[i-1] + 4 m[i] + m[i+1] = 6 (k[i-1] - 2 k[i] + k[i+1]). Ends: m[0] = 2 m[1] - m[2],
  // which turns the first equation into 6 m[1] = …; the last likewise.
  std::vector<double> diagonal(n, 4);
  std::vector<double> right(n);
  for (size_t i = 1; i + 1 < n; ++i) {
    right[i] = 6 * (knots[i - 1] - 2 * knots[i] + knots[i + 1]);
  }
  std::vector<double> m(n);
  m[1] = right[1] / 6;
  m[n - 2] = right[n - 2] / 6;
  // The equations of the interior knots 2…n-3 are tridiagonal, with m[1] and m[n-2] known.
  for (size_t i = 2; i + 2 < n; ++i) {
    const double before = i == 2 ? m[1] : 0;
    right[i] -= before + (i + 3 == n ? m[n - 2] : 0);
    if (i > 2) {
      const double factor = 1 / diagonal[i - 1];
      diagonal[i] -= factor;
      right[i] -= factor * right[i - 1];
    }
  }
  for (size_t i = n - 3; i >= 2; --i) {
    m[i] = (right[i] - (i + 3 < n ? m[i + 1] : 0)) / diagonal[i];
  }
  m[0] = 2 * m[1] - m[2];
  m[n - 1] = 2 * m[n - 2] - m[n - 3];
  return m;
}

}  // namespace

std::vector<double> spline_through(const std::vector<double>& knots, int64_t steps) {
  const std::vector<double> m = curvatures(knots);
  const auto intervals = static_cast<double>(knots.size() - 1);
  std::vector<double> curve;
  for (int64_t t = 0; t < steps; ++t) {
    const double position =
        steps > 1 ? intervals * static_cast<double>(t) / static_cast<double>(steps - 1) : 0;
    const size_t i = std::min(static_cast<size_t>(position), knots.size() - 2);
    const double b = position - static_cast<double>(i);
    const double a = 1 - b;
    curve.push_back(a * knots[i] + b * knots[i + 1] +
                    ((a * a * a - a) * m[i] + (b * b * b - b) * m[i + 1]) / 6);
  }
  return curve;
}

std::vector<double> random_curve(int64_t steps, double sigma, core::Rng& rng) {
  std::vector<double> knots(6);
  for (double& knot : knots) {
    knot = 1 + sigma * rng.normal();
  }
  return spline_through(knots, steps);
}

}  // namespace coppice::data
