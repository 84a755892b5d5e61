#include "monitor/page_hinkley.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

PageHinkley::PageHinkley(const DriftOptions& options)
    : delta_(options.delta), threshold_(options.threshold), min_samples_(options.min_samples) {
  if (!std::isfinite(delta_) || !std::isfinite(threshold_) || delta_ < 0 || threshold_ < 0 ||
      min_samples_ < 1) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format(
            "page_hinkley: delta {}, threshold {}, min_samples {}; the first two must be at "
            "least 0 and finite, the third at least 1",
            delta_,
            threshold_,
            min_samples_));
  }
}

bool PageHinkley::add(double value) {
  if (!std::isfinite(value)) {
    throw core::Error(
        core::ErrorKind::Numeric,
        fmt::format("page_hinkley: value {} is no finite number; leave it out", value));
  }
  seen_.add(value);
  sum_ += value - seen_.mean() - delta_;
  least_ = std::min(least_, sum_);
  if (seen_.count() < min_samples_ || sum_ - least_ <= threshold_) {
    return false;
  }
  reset();
  return true;
}

void PageHinkley::reset() {
  seen_ = {};
  sum_ = 0;
  least_ = 0;
}

std::unique_ptr<DriftDetector> make_page_hinkley(const DriftOptions& options) {
  return std::make_unique<PageHinkley>(options);
}

}  // namespace coppice::monitor
