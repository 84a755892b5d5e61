#include <algorithm>

#include "compress/calibrations.h"

namespace coppice::compress {

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

}  // namespace coppice::compress
