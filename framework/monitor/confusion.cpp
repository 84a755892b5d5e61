#include "monitor/confusion.h"

#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

Confusion::Confusion(int64_t classes) : classes_(classes) {
  if (classes < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("confusion matrix of {} classes; pass at least 1", classes));
  }
  counts_.resize(static_cast<size_t>(classes) * static_cast<size_t>(classes));
}

size_t Confusion::index(int64_t truth, int64_t predicted) const {
  if (truth < 0 || truth >= classes_ || predicted < 0 || predicted >= classes_) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("confusion matrix: true class {}, predicted {}; both must lie in [0, {})",
                    truth,
                    predicted,
                    classes_));
  }
  return static_cast<size_t>(truth * classes_ + predicted);
}

void Confusion::add(int64_t truth, int64_t predicted) {
  ++counts_[index(truth, predicted)];
}

int64_t Confusion::at(int64_t truth, int64_t predicted) const {
  return counts_[index(truth, predicted)];
}

int64_t Confusion::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

double Confusion::accuracy() const {
  int64_t right = 0;
  for (int64_t c = 0; c < classes_; ++c) {
    right += at(c, c);
  }
  const int64_t all = total();
  return all == 0 ? 0 : static_cast<double>(right) / static_cast<double>(all);
}

std::vector<double> Confusion::recall() const {
  std::vector<double> result;
  for (int64_t c = 0; c < classes_; ++c) {
    const auto row = counts_.begin() + static_cast<std::ptrdiff_t>(c * classes_);
    const int64_t samples =
        std::accumulate(row, row + static_cast<std::ptrdiff_t>(classes_), int64_t{0});
    result.push_back(samples == 0 ? std::numeric_limits<double>::quiet_NaN()
                                  : static_cast<double>(at(c, c)) / static_cast<double>(samples));
  }
  return result;
}

}  // namespace coppice::monitor
