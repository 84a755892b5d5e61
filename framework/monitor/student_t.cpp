#include <cmath>
#include <limits>

#include "core/error.h"
#include "monitor/paired_tests.h"

namespace coppice::monitor {

namespace {

/// log of the gamma function. lgamma_r, since lgamma writes the global `signgam`.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 10'000;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double value = d;
  for (int m = 1; m <= kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double step = 1;
    for (const double term : {even, odd}) {
      d = 1 + term * d;
      d = 1 / (std::abs(d) < kTiny ? kTiny : d);
      c = 1 + term / c;
      c = std::abs(c) < kTiny ? kTiny : c;
      step = c * d;
      value *= step;
    }
    if (std::abs(step - 1) < 4 * std::numeric_limits<double>::epsilon()) {
      break;
    }
  }
  return value;
}

/// I_x(a, b). The fraction converges fast below the mean of the distribution; above, it is that of
/// the other tail.
double incomplete_beta(double x, double a, double b) {
  if (x <= 0 || x >= 1) {
    return x <= 0 ? 0 : 1;
  }
  const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) +
                                b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(x, a, b) / a
                                   : 1 - front * beta_fraction(1 - x, b, a) / b;
}

}  // namespace

double student_t_p(double t, double freedom) {
  COPPICE_CHECK(freedom > 0, "degrees of freedom must be positive");
  if (std::isinf(t)) {
    return 0;
  }
  return incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

double student_t_critical(double p, double freedom) {
  COPPICE_CHECK(p > 0 && p < 1, "a chance must lie inside (0, 1)");
  double low = 0;
  double high = 1;
  while (student_t_p(high, freedom) > p) {
    high *= 2;
  }
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) {
      break;
    }
    (student_t_p(middle, freedom) > p ? low : high) = middle;
  }
  return high;
}

}  // namespace coppice::monitor
