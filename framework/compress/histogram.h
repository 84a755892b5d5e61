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

}  // namespace coppice::compress
