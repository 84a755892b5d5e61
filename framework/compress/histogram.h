#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice::compress {

/// Counts of absolute values in equal bins over [0, limit]. Zeros are left out: every scale holds
/// them exactly, and behind a ReLU they would outnumber what the range is for.
class Histogram {
 public:
  /// REQUIRES: limit > 0, bins > 0.
  explicit Histogram(double limit, size_t bins = 2048);

  /// Values beyond the limit count in the last bin.
  void add(std::span<const float> values);

  double limit() const { return limit_; }

  double bin_width() const { return limit_ / static_cast<double>(counts_.size()); }

  const std::vector<int64_t>& counts() const { return counts_; }

  int64_t total() const { return total_; }  ///< values counted

 private:
  double limit_;
  std::vector<int64_t> counts_;
  int64_t total_ = 0;
};

/// The least bound under which `percentile` per cent of the values lie, linear within a bin; the
/// limit of an empty histogram.
double percentile_limit(const Histogram& histogram, double percentile);

/// The bound whose `levels` equal steps over [0, bound] give the least mean squared error of
/// rounding and clipping, taking the values of a bin to lie at its centre. The largest one wins a
/// tie.
double mse_limit(const Histogram& histogram, int64_t levels);

}  // namespace coppice::compress
