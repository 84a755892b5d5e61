#include "monitor/adwin.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

Adwin::Adwin(const DriftOptions& options)
    : delta_(options.delta), min_samples_(options.min_samples) {
  if (!(delta_ > 0 && delta_ < 1) || min_samples_ < 1) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format(
            "adwin: delta {}, min_samples {}; delta must lie between 0 and 1, min_samples be "
            "at least 1",
            delta_,
            min_samples_));
  }
}

bool Adwin::add(double value) {
  if (!std::isfinite(value)) {
    throw core::Error(core::ErrorKind::Numeric,
                      fmt::format("adwin: value {} is no finite number; leave it out", value));
  }
  if (value < 0 || value > 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("adwin: value {} is outside [0, 1]; rescale the stream", value));
  }
  RunningStatistics bucket;
  bucket.add(value);
  if (rows_.empty()) {
    rows_.emplace_back();
  }
  rows_.front().push_back(bucket);
  window_.merge(bucket);
  compress();

  ++since_signal_;
  if (since_signal_ < min_samples_ || !has_cut()) {
    return false;
  }
  do {
    drop_oldest();
  } while (has_cut());
  since_signal_ = 0;
  return true;
}

/// Merges the two oldest buckets of every row that is too long into one of the next.
void Adwin::compress() {
  for (size_t row = 0; row < rows_.size() && rows_[row].size() > kMaxBuckets; ++row) {
    if (row + 1 == rows_.size()) {
      rows_.emplace_back();
    }
    auto& buckets = rows_[row];
    RunningStatistics merged = buckets[0];
    merged.merge(buckets[1]);
    buckets.erase(buckets.begin(), buckets.begin() + 2);
    rows_[row + 1].push_back(merged);
  }
}

/// Whether a border between buckets divides the window into parts whose means differ by more than
/// the bound.
bool Adwin::has_cut() const {
  const auto n = static_cast<double>(window_.count());
  if (n < 2) {
    return false;
  }
  const double sum = window_.mean() * n;
  // ln n is below 1 for the two smallest windows; a delta' above delta would weaken the bound
  // there.
  const double log_term = std::log(2 * std::max(1.0, std::log(n)) / delta_);
  double older_n = 0;
  double older_sum = 0;
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
    for (const RunningStatistics& bucket : *row) {
      older_n += static_cast<double>(bucket.count());
      older_sum += bucket.mean() * static_cast<double>(bucket.count());
      const double newer_n = n - older_n;
      if (newer_n < 1) {
        return false;
      }
      const double inverse_m = 1 / older_n + 1 / newer_n;
      const double bound = std::sqrt(2 * inverse_m * window_.variance() * log_term) +
                           2.0 / 3.0 * inverse_m * log_term;
      if (std::abs(older_sum / older_n - (sum - older_sum) / newer_n) > bound) {
        return true;
      }
    }
  }
  return false;
}

/// The oldest bucket is the first of the highest row. What stays is summed anew: subtracting would
/// pile up rounding.
void Adwin::drop_oldest() {
  rows_.back().pop_front();
  while (!rows_.empty() && rows_.back().empty()) {
    rows_.pop_back();
  }
  window_ = {};
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
    for (const RunningStatistics& bucket : *row) {
      window_.merge(bucket);
    }
  }
}

void Adwin::reset() {
  rows_.clear();
  window_ = {};
  since_signal_ = 0;
}

size_t Adwin::buckets() const {
  size_t count = 0;
  for (const auto& row : rows_) {
    count += row.size();
  }
  return count;
}

std::unique_ptr<DriftDetector> make_adwin(const DriftOptions& options) {
  return std::make_unique<Adwin>(options);
}

}  // namespace coppice::monitor
