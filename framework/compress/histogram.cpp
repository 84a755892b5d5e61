#include "compress/histogram.h"

#include <algorithm>
#include <cmath>

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

}  // namespace coppice::compress
