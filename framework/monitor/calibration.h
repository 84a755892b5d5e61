#pragma once

#include <cstdint>
#include <span>

namespace coppice::monitor {

/// Expected calibration error over equal-width bins (Guo et al., ICML 2017): confidences in [0, 1], correct or not.
double expected_calibration_error(std::span<const double> confidence, std::span<const uint8_t> correct, int bins = 15);

}  // namespace coppice::monitor
