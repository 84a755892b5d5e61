#include "monitor/continual.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

namespace {

using Matrix = std::vector<std::vector<double>>;

void require_square(const Matrix& accuracy) {
  if (accuracy.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "accuracy matrix is empty; evaluate at least one experience");
  }
  for (size_t i = 0; i < accuracy.size(); ++i) {
    if (accuracy[i].size() != accuracy.size()) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("accuracy matrix: row {} has {} entries, not {}; evaluate "
                                    "every experience after each",
                                    i,
                                    accuracy[i].size(),
                                    accuracy.size()));
    }
    for (size_t j = 0; j < accuracy.size(); ++j) {
      if (!std::isfinite(accuracy[i][j])) {
        throw core::Error(
            core::ErrorKind::Numeric,
            fmt::format(
                "accuracy matrix: entry [{}][{}] is {}; evaluate every experience after each",
                i,
                j,
                accuracy[i][j]));
      }
    }
  }
}

}  // namespace

double average_accuracy(const Matrix& accuracy) {
  require_square(accuracy);
  const auto& last = accuracy.back();
  return std::accumulate(last.begin(), last.end(), 0.0) / static_cast<double>(last.size());
}

double backward_transfer(const Matrix& accuracy) {
  require_square(accuracy);
  const size_t earlier = accuracy.size() - 1;
  double sum = 0;
  for (size_t j = 0; j < earlier; ++j) {
    sum += accuracy.back()[j] - accuracy[j][j];
  }
  return earlier == 0 ? 0 : sum / static_cast<double>(earlier);
}

double forgetting(const Matrix& accuracy) {
  require_square(accuracy);
  const size_t earlier = accuracy.size() - 1;
  double sum = 0;
  for (size_t j = 0; j < earlier; ++j) {
    double best = accuracy[0][j];
    for (size_t i = 1; i < earlier; ++i) {
      best = std::max(best, accuracy[i][j]);
    }
    sum += best - accuracy.back()[j];
  }
  return earlier == 0 ? 0 : sum / static_cast<double>(earlier);
}

}  // namespace coppice::monitor
