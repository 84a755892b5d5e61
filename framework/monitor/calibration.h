#pragma once

#include <cstdint>
#include <span>

namespace coppice::monitor {

/// Expected calibration error over equal-width bins (Guo et al., ICML 2017), in [0, 1]; 0 for no
/// samples.
///
/// `confidence` in [0, 1], `correct` 0 or not. Bin m of M holds the confidences in ((m - 1) / M, m
/// / M]; 0 falls into the first. Throws Error{InvalidArgument}: lengths that differ, no bins, a
/// confidence out of range.
double expected_calibration_error(std::span<const double> confidence,
                                  std::span<const uint8_t> correct,
                                  int bins = 15);

}  // namespace coppice::monitor
