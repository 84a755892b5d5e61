#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/calibrations.h"

namespace coppice::compress {

namespace {

double times_log(double value) {
  return value > 0 ? value * std::log(value) : 0;
}

/// Sums over the first bins of a histogram: [i] is of bins 0 … i - 1.
struct BinSums {
  std::vector<double> values{0};
  std::vector<double> filled{0};  ///< bins that are not empty
  std::vector<double> p_log_p{0};

  explicit BinSums(const std::vector<int64_t>& counts) {
    for (const int64_t count : counts) {
      const auto value = static_cast<double>(count);
      values.push_back(values.back() + value);
      filled.push_back(filled.back() + (count > 0 ? 1 : 0));
      p_log_p.push_back(p_log_p.back() + times_log(value));
    }
  }
};

/// KL(P || Q) of keeping the first `bins` of `counts` in `levels` steps. Within a step Q is
/// constant where it is not 0, so that P log Q needs a logarithm per step, not per bin.
double divergence(const std::vector<int64_t>& counts,
                  const BinSums& sums,
                  size_t bins,
                  size_t levels) {
  const double total = sums.values.back();
  const double kept = sums.values[bins];
  const double beyond = total - kept;
  const auto last = static_cast<double>(counts[bins - 1]);
  if (beyond > 0 && last == 0) {
    return std::numeric_limits<double>::infinity();  // P is not 0 where Q is
  }
  double p_log_q = 0;
  double last_q = 1;
  for (size_t level = 0; level < levels; ++level) {
    const size_t first = level * bins / levels;
    const size_t end = (level + 1) * bins / levels;
    const double value = sums.values[end] - sums.values[first];
    if (value > 0) {
      last_q = value / (sums.filled[end] - sums.filled[first]);
      p_log_q += value * std::log(last_q);
    }
  }
  p_log_q += beyond * std::log(last_q);
  const double p_log_p = sums.p_log_p[bins - 1] + times_log(last + beyond);
  return (p_log_p - p_log_q) / total - std::log(total) + std::log(kept);
}

}  // namespace

double entropy_limit(const Histogram& histogram, int64_t levels) {
  const auto& counts = histogram.counts();
  const auto steps = static_cast<size_t>(levels) + 1;
  if (histogram.total() == 0 || counts.size() <= steps) {
    return histogram.limit();
  }
  const BinSums sums(counts);
  size_t best = counts.size();
  double least = std::numeric_limits<double>::infinity();
  for (size_t bins = steps; bins <= counts.size(); ++bins) {
    const double loss = divergence(counts, sums, bins, steps);
    if (loss < least) {
      least = loss;
      best = bins;
    }
  }
  return std::min((static_cast<double>(best) + 0.5) * histogram.bin_width(), histogram.limit());
}

}  // namespace coppice::compress
