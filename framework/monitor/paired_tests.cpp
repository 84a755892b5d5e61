#include "monitor/paired_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "monitor/running.h"

namespace coppice::monitor {

namespace {

constexpr size_t kMostExact = 50;
// Differences of accuracies that are equal on paper differ by a few units of their last place.
constexpr double kRounding = 16 * std::numeric_limits<double>::epsilon();

/// Sizes and signs of the differences that are not zero, by rising size.
struct Signed {
  double size = 0;
  bool positive = false;
};

/// Twice the mean rank of each value, so that ties stay whole numbers.
std::vector<int64_t> doubled_ranks(const std::vector<Signed>& sorted, double tolerance) {
  std::vector<int64_t> ranks;
  for (size_t first = 0; first < sorted.size();) {
    size_t end = first + 1;
    while (end < sorted.size() && sorted[end].size - sorted[end - 1].size <= tolerance) {
      ++end;
    }
    ranks.insert(ranks.end(), end - first, static_cast<int64_t>(first + 1 + end));
    first = end;
  }
  return ranks;
}

/// Chance that the sum of the ranks that get a positive sign is at most `seen`.
double exact_tail(const std::vector<int64_t>& ranks, int64_t seen) {
  const int64_t total = std::accumulate(ranks.begin(), ranks.end(), int64_t{0});
  std::vector<double> chance(static_cast<size_t>(total) + 1, 0);
  chance[0] = 1;
  for (const int64_t rank : ranks) {
    const auto step = static_cast<size_t>(rank);
    for (size_t sum = chance.size(); sum-- > 0;) {
      chance[sum] = 0.5 * (chance[sum] + (sum >= step ? chance[sum - step] : 0));
    }
  }
  return std::accumulate(
      chance.begin(), chance.begin() + static_cast<std::ptrdiff_t>(seen) + 1, 0.0);
}

double normal_p(const std::vector<int64_t>& ranks, int64_t seen) {
  const double mean =
      static_cast<double>(std::accumulate(ranks.begin(), ranks.end(), int64_t{0})) / 2;
  double variance = 0;  // each rank takes part or not: a quarter of its square
  for (const int64_t rank : ranks) {
    variance += 0.25 * static_cast<double>(rank) * static_cast<double>(rank);
  }
  const double gap = std::max(0.0, std::abs(static_cast<double>(seen) - mean) - 1);  // half a rank
  return std::erfc(gap / std::sqrt(2 * variance));
}

double signed_rank_p(std::span<const double> differences, double tolerance) {
  std::vector<Signed> sorted;
  for (const double difference : differences) {
    if (std::abs(difference) > tolerance) {
      sorted.push_back({std::abs(difference), difference > 0});
    }
  }
  if (sorted.empty()) {
    return 1;
  }
  std::sort(sorted.begin(), sorted.end(), [](const Signed& a, const Signed& b) {
    return a.size < b.size;
  });
  const std::vector<int64_t> ranks = doubled_ranks(sorted, tolerance);
  int64_t positive = 0;
  int64_t negative = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    (sorted[i].positive ? positive : negative) += ranks[i];
  }
  const int64_t seen = std::min(positive, negative);
  return sorted.size() <= kMostExact ? std::min(1.0, 2 * exact_tail(ranks, seen))
                                     : normal_p(ranks, seen);
}

void add_student(PairedTests& result, const RunningStatistics& differences, double tolerance) {
  const auto n = static_cast<double>(result.pairs);
  result.mean_difference = differences.mean();
  result.sd_difference = std::sqrt(differences.variance());
  if (result.sd_difference <= tolerance) {  // every difference is the same
    result.sd_difference = 0;
    const bool none = std::abs(result.mean_difference) <= tolerance;
    result.mean_difference = none ? 0 : result.mean_difference;
    const double infinite =
        std::copysign(std::numeric_limits<double>::infinity(), result.mean_difference);
    result.effect = result.t = none ? 0 : infinite;
    result.t_p = none ? 1 : 0;
    result.low = result.high = result.mean_difference;
    return;
  }
  const double error = result.sd_difference / std::sqrt(n);
  result.effect = result.mean_difference / result.sd_difference;
  result.t = result.mean_difference / error;
  result.t_p = student_t_p(result.t, n - 1);
  const double half = student_t_critical(0.05, n - 1) * error;
  result.low = result.mean_difference - half;
  result.high = result.mean_difference + half;
}

}  // namespace

PairedTests paired_tests(std::span<const double> first, std::span<const double> second) {
  if (first.size() != second.size() || first.size() < 2) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format(
            "paired test: {} and {} values; pass at least two pairs", first.size(), second.size()));
  }
  PairedTests result;
  result.pairs = static_cast<int64_t>(first.size());
  RunningStatistics statistics;
  std::vector<double> differences;
  double largest = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    if (!std::isfinite(first[i]) || !std::isfinite(second[i])) {
      throw core::Error(core::ErrorKind::Numeric,
                        fmt::format("paired test: pair {} is {}, {}", i, first[i], second[i]));
    }
    differences.push_back(second[i] - first[i]);
    statistics.add(differences.back());
    largest = std::max({largest, std::abs(first[i]), std::abs(second[i])});
  }
  const double tolerance = kRounding * largest;
  add_student(result, statistics, tolerance);
  result.wilcoxon_p = signed_rank_p(differences, tolerance);
  return result;
}

double signed_rank_p(std::span<const double> differences) {
  double largest = 0;
  for (const double difference : differences) {
    if (!std::isfinite(difference)) {
      throw core::Error(core::ErrorKind::Numeric,
                        fmt::format("signed-rank test: a difference is {}", difference));
    }
    largest = std::max(largest, std::abs(difference));
  }
  return signed_rank_p(differences, kRounding * largest);
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(
      order.begin(), order.end(), [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double least = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    least = std::max(least, static_cast<double>(order.size() - i) * p_values[order[i]]);
    adjusted[order[i]] = std::min(1.0, least);
  }
  return adjusted;
}

}  // namespace coppice::monitor
