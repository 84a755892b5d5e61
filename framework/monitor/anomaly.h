#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice::monitor {

/// Mean squared difference of each sample from its reconstruction, row-major, `samples` rows.
/// Throws Error{InvalidArgument} for sizes that differ or are no multiple of `samples`.
std::vector<double> reconstruction_errors(std::span<const float> truth,
                                          std::span<const float> reconstruction,
                                          int64_t samples);

/// The q-quantile, q in [0, 1], interpolated linearly between the two nearest values
/// (numpy.quantile's default; Hyndman and Fan's type 7). Throws Error{InvalidArgument} without
/// values, for a q out of range or a value that is NaN.
double quantile(std::span<const double> values, double q);

/// A detector that calls every sample above a threshold an anomaly.
struct AnomalyScore {
  double auroc = 0;              ///< NaN unless both kinds occur
  double average_precision = 0;  ///< NaN without an anomaly
  double precision = 0;          ///< 0 when nothing is called an anomaly
  double recall = 0;             ///< 0 without an anomaly
  double f1 = 0;
  double false_alarm_rate = 0;  ///< share of the normal samples that are called anomalies
  int64_t anomalies = 0;
  int64_t normal = 0;
  int64_t hits = 0;  ///< anomalies above the threshold
  int64_t false_alarms = 0;
};

/// `anomalous` is 0 or not. Throws Error{InvalidArgument} for lengths that differ or an error that
/// is NaN.
AnomalyScore anomaly_score(std::span<const double> errors,
                           std::span<const uint8_t> anomalous,
                           double threshold);

}  // namespace coppice::monitor
