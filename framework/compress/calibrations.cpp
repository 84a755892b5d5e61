#include "compress/calibrations.h"

#include "compress/quantise.h"

namespace coppice::compress {

const core::Registry<Calibration>& calibrations() {
  static const auto registry = [] {
    core::Registry<Calibration> all("calibration");
    all.add(
        "min_max",
        [](const Histogram& h, int64_t, const QuantiseOptions&) { return min_max_limit(h); },
        "all values");
    all.add(
        "percentile",
        [](const Histogram& h, int64_t, const QuantiseOptions& options) {
          return percentile_limit(h, options.percentile);
        },
        "a percentile of them");
    all.add(
        "mse",
        [](const Histogram& h, int64_t levels, const QuantiseOptions&) {
          return mse_limit(h, levels);
        },
        "least squared error");
    all.add(
        "entropy",
        [](const Histogram& h, int64_t levels, const QuantiseOptions&) {
          return entropy_limit(h, levels);
        },
        "least loss of information");
    return all;
  }();
  return registry;
}

double min_max_limit(const Histogram& histogram) {
  return histogram.limit();
}

}  // namespace coppice::compress
