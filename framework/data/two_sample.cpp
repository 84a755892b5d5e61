#include "data/two_sample.h"

#include <algorithm>
#include <cmath>

namespace coppice::data {

namespace {

std::vector<double> shares_between(const std::vector<double>& edges,
                                   const std::vector<double>& values) {
  std::vector<double> shares(edges.size() + 1);
  for (const double value : values) {
    const auto bin = std::upper_bound(edges.begin(), edges.end(), value) - edges.begin();
    shares[static_cast<size_t>(bin)] += 1 / static_cast<double>(values.size());
  }
  return shares;
}

/// The limiting distribution's upper tail at `x`.
double kolmogorov_tail(double x) {
  if (x < 0.2) {
    return 1;  // to 1e-12; the series converges slowly there
  }
  double sum = 0;
  double sign = 1;
  for (int j = 1; j <= 100; ++j) {
    const double term = std::exp(-2 * x * x * j * j);
    sum += sign * term;
    sign = -sign;
    if (term < 1e-17) {
      break;
    }
  }
  return std::clamp(2 * sum, 0.0, 1.0);
}

}  // namespace

double population_stability(std::span<const double> before, std::span<const double> after) {
  constexpr double kLeastShare = 1e-4;
  double sum = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    const double p = std::max(before[i], kLeastShare);
    const double q = std::max(after[i], kLeastShare);
    sum += (q - p) * std::log(q / p);
  }
  return sum;
}

double population_stability(std::vector<double> before,
                            const std::vector<double>& after,
                            int64_t bins) {
  std::sort(before.begin(), before.end());
  std::vector<double> edges;
  for (int64_t i = 1; i < bins; ++i) {
    edges.push_back(before[before.size() * static_cast<size_t>(i) / static_cast<size_t>(bins)]);
  }
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return population_stability(shares_between(edges, before), shares_between(edges, after));
}

KolmogorovSmirnov kolmogorov_smirnov(std::vector<double> before, std::vector<double> after) {
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  const auto n = static_cast<double>(before.size());
  const auto m = static_cast<double>(after.size());
  KolmogorovSmirnov result;
  size_t i = 0;
  size_t j = 0;
  while (i < before.size() && j < after.size()) {
    const double value = std::min(before[i], after[j]);
    while (i < before.size() && before[i] == value) {
      ++i;
    }
    while (j < after.size() && after[j] == value) {
      ++j;
    }
    const double difference = static_cast<double>(i) / n - static_cast<double>(j) / m;
    result.distance = std::max(result.distance, std::abs(difference));
  }
  const double root = std::sqrt(n * m / (n + m));
  result.p_value = kolmogorov_tail((root + 0.12 + 0.11 / root) * result.distance);
  return result;
}

}  // namespace coppice::data
