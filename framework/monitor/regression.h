#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "monitor/running.h"

namespace coppice::monitor {

struct RegressionScore {
  double mae = 0;   ///< mean absolute error
  double rmse = 0;  ///< root of the mean squared error
  /// Share of the truth's variance that is explained; 1 when every prediction is exact, and for a
  /// truth that never varies 0 when one is not (as scikit-learn has it). Below 0: worse than the
  /// mean.
  double r2 = 0;
  double bias = 0;  ///< mean of prediction minus truth
};

/// Errors of real-valued predictions, per output, sample by sample. A value.
class Regression {
 public:
  /// Throws Error{InvalidArgument} for fewer than one output.
  explicit Regression(int64_t outputs = 1);

  /// One or more samples, row-major. Throws Error{InvalidArgument} for sizes that differ or are no
  /// multiple of the outputs, Error{Numeric} for a value that is not finite.
  void add(std::span<const double> truth, std::span<const double> prediction);

  int64_t samples() const { return errors_.front().count(); }

  int64_t outputs() const { return static_cast<int64_t>(errors_.size()); }

  /// Of one output; throws Error{InvalidArgument} for one out of range. All 0 without samples.
  RegressionScore score(int64_t output) const;

  /// Each figure averaged over the outputs, none weighted more (scikit-learn's "uniform_average").
  RegressionScore mean() const;

 private:
  std::vector<RunningStatistics> errors_;  ///< prediction - truth
  std::vector<RunningStatistics> absolute_;
  std::vector<RunningStatistics> squared_;
  std::vector<RunningStatistics> truth_;
};

}  // namespace coppice::monitor
