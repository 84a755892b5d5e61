#include "monitor/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

namespace {

/// log n!. lgamma_r, since lgamma writes the global `signgam`.
double log_factorial(double n) {
  int sign = 0;
  return ::lgamma_r(n + 1, &sign);
}

}  // namespace

double mcnemar_p_value(int64_t first_only, int64_t second_only) {
  if (first_only < 0 || second_only < 0) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format(
            "McNemar test: counts {} and {}; pass counts of at least 0", first_only, second_only));
  }
  const auto fewer = static_cast<double>(std::min(first_only, second_only));
  const auto more = static_cast<double>(std::max(first_only, second_only));
  if (fewer == more) {
    return 1;
  }
  // P(X <= fewer) for X ~ Binomial(fewer + more, 1/2), as its largest term times a series of
  // falling ratios.
  double series = 1;
  double term = 1;
  for (double k = fewer; k > 0; --k) {
    term *= k / (fewer + more - k + 1);
    series += term;
    if (term < series * std::numeric_limits<double>::epsilon()) {
      break;
    }
  }
  const double log_largest = log_factorial(fewer + more) - log_factorial(fewer) -
                             log_factorial(more) - (fewer + more) * std::numbers::ln2;
  return std::min(1.0, std::exp(std::numbers::ln2 + log_largest + std::log(series)));
}

PairedComparison compare_paired(std::span<const int64_t> truth,
                                std::span<const int64_t> first,
                                std::span<const int64_t> second) {
  if (truth.size() != first.size() || truth.size() != second.size()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("paired comparison: {} true classes, {} and {} predictions; pass "
                                  "one of each per sample",
                                  truth.size(),
                                  first.size(),
                                  second.size()));
  }
  PairedComparison result;
  result.samples = static_cast<int64_t>(truth.size());
  int64_t both = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const bool first_right = first[i] == truth[i];
    const bool second_right = second[i] == truth[i];
    both += first_right && second_right ? 1 : 0;
    result.first_only += first_right && !second_right ? 1 : 0;
    result.second_only += !first_right && second_right ? 1 : 0;
  }
  if (result.samples > 0) {
    const auto samples = static_cast<double>(result.samples);
    result.first_accuracy = static_cast<double>(both + result.first_only) / samples;
    result.second_accuracy = static_cast<double>(both + result.second_only) / samples;
  }
  result.p_value = mcnemar_p_value(result.first_only, result.second_only);
  return result;
}

}  // namespace coppice::monitor
