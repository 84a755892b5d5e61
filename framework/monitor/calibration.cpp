#include "monitor/calibration.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

namespace {

struct Bin {
  double confidence = 0;
  double correct = 0;
};

}  // namespace

double expected_calibration_error(std::span<const double> confidence,
                                  std::span<const uint8_t> correct,
                                  int bins) {
  if (confidence.size() != correct.size()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("calibration: {} confidences but {} outcomes; pass one of each per sample",
                    confidence.size(),
                    correct.size()));
  }
  if (bins < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("calibration: {} bins; pass at least 1", bins));
  }
  std::vector<Bin> table(static_cast<size_t>(bins));
  for (size_t i = 0; i < confidence.size(); ++i) {
    if (!(confidence[i] >= 0 && confidence[i] <= 1)) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          fmt::format(
              "calibration: confidence {} of sample {} is outside [0, 1]", confidence[i], i));
    }
    const int bin = static_cast<int>(std::ceil(confidence[i] * bins)) - 1;
    Bin& entry = table[static_cast<size_t>(std::clamp(bin, 0, bins - 1))];
    entry.confidence += confidence[i];
    entry.correct += correct[i] != 0 ? 1 : 0;
  }
  // A bin's share times the gap of its means: the bin's size cancels.
  double gap = 0;
  for (const Bin& bin : table) {
    gap += std::abs(bin.correct - bin.confidence);
  }
  return confidence.empty() ? 0 : gap / static_cast<double>(confidence.size());
}

}  // namespace coppice::monitor
