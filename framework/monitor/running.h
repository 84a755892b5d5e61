#pragma once

#include <cstdint>

namespace coppice::monitor {

/// Mean and variance of a stream (Welford, 1962). A value. NaN and infinity spread to both.
class RunningStatistics {
 public:
  void add(double value);
  void merge(const RunningStatistics& other);  ///< Chan et al., 1983

  int64_t count() const { return count_; }

  double mean() const { return mean_; }  ///< 0 when empty

  double variance() const;  ///< unbiased; 0 below two values

 private:
  int64_t count_ = 0;
  double mean_ = 0;
  double m2_ = 0;
};

}  // namespace coppice::monitor
