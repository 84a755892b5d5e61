#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/calibrations.h"

namespace coppice::compress {

double mse_limit(const Histogram& histogram, int64_t levels) {
  const auto& counts = histogram.counts();
  const double width = histogram.bin_width();
  double best_limit = histogram.limit();
  double best_error = std::numeric_limits<double>::infinity();
  const auto candidates = static_cast<int64_t>(std::min<size_t>(counts.size(), 256));
  for (int64_t i = candidates; i > 0; --i) {
    const double limit =
        histogram.limit() * static_cast<double>(i) / static_cast<double>(candidates);
    const double step = limit / static_cast<double>(levels);
    double error = 0;
    for (size_t b = 0; b < counts.size() && error < best_error; ++b) {
      const double value = (static_cast<double>(b) + 0.5) * width;
      const double rounded = std::min(std::nearbyint(value / step) * step, limit);
      error += static_cast<double>(counts[b]) * (value - rounded) * (value - rounded);
    }
    if (error < best_error) {
      best_error = error;
      best_limit = limit;
    }
  }
  return best_limit;
}

}  // namespace coppice::compress
