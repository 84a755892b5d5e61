#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice::monitor {

/// One bar of a reliability diagram.
struct CalibrationBin {
  double low = 0;  ///< confidences in (low, high]; the first bin holds `low` too
  double high = 0;
  int64_t count = 0;
  double confidence = 0;  ///< mean; 0 when empty
  double accuracy = 0;    ///< share of correct ones; 0 when empty
};

/// Below: `confidence` in [0, 1] of the predicted class, `correct` 0 or not. All throw
/// Error{InvalidArgument} for lengths that differ, no bins, or a confidence out of range.

/// Bins of equal width, over [0, 1]: bin m of M holds ((m - 1) / M, m / M].
std::vector<CalibrationBin> calibration_bins(std::span<const double> confidence,
                                             std::span<const uint8_t> correct,
                                             int bins = 15);

/// Bins of equal numbers of samples, by rising confidence: the first n mod M have one more, as
/// numpy.array_split divides them. Fewer than `bins` where there are fewer samples.
std::vector<CalibrationBin> adaptive_calibration_bins(std::span<const double> confidence,
                                                      std::span<const uint8_t> correct,
                                                      int bins = 15);

/// Mean over samples of the gap between a bin's accuracy and confidence, in [0, 1]; 0 for no
/// samples.
double calibration_error(std::span<const CalibrationBin> bins);

/// ... of bins of equal width (Guo et al., ICML 2017).
double expected_calibration_error(std::span<const double> confidence,
                                  std::span<const uint8_t> correct,
                                  int bins = 15);

/// ... of bins of equal numbers (Nguyen and O'Connor, EMNLP 2015), which does not depend on where
/// the confidences crowd.
double adaptive_calibration_error(std::span<const double> confidence,
                                  std::span<const uint8_t> correct,
                                  int bins = 15);

}  // namespace coppice::monitor
