#include "compress/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace coppice::compress {

Histogram::Histogram(double limit, size_t bins) : limit_(limit), counts_(bins, 0) {
  COPPICE_CHECK(limit > 0 && bins > 0, "a histogram needs a positive range and a bin");
}

void Histogram::add(std::span<const float> values) {
  const double bins_per_unit = static_cast<double>(counts_.size()) / limit_;
  const size_t last = counts_.size() - 1;
  for (const float value : values) {
    if (value != 0) {
      const double bin = std::abs(static_cast<double>(value)) * bins_per_unit;
      ++counts_[std::min(static_cast<size_t>(bin), last)];
      ++total_;
    }
  }
}

double percentile_limit(const Histogram& histogram, double percentile) {
  const double wanted = percentile / 100 * static_cast<double>(histogram.total());
  double below = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    const auto count = static_cast<double>(histogram.counts()[i]);
    if (count > 0 && below + count >= wanted) {
      const double share = std::max(0.0, (wanted - below) / count);
      return (static_cast<double>(i) + share) * histogram.bin_width();
    }
    below += count;
  }
  return histogram.limit();
}

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
