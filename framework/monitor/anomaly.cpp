#include "monitor/anomaly.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "monitor/ranking.h"

namespace coppice::monitor {

namespace {

double part(int64_t count, int64_t total) {
  return total == 0 ? 0 : static_cast<double>(count) / static_cast<double>(total);
}

}  // namespace

std::vector<double> reconstruction_errors(std::span<const float> truth,
                                          std::span<const float> reconstruction,
                                          int64_t samples) {
  const auto rows = static_cast<size_t>(std::max<int64_t>(samples, 0));
  if (truth.size() != reconstruction.size() ||
      (rows == 0 ? !truth.empty() : truth.size() % rows != 0)) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("reconstruction error: {} samples of {} values and {} reconstructed ones",
                    samples,
                    truth.size(),
                    reconstruction.size()));
  }
  std::vector<double> errors;
  for (size_t i = 0; i < rows; ++i) {
    const size_t elements = truth.size() / rows;
    double sum = 0;
    for (size_t j = i * elements; j < (i + 1) * elements; ++j) {
      const double gap = static_cast<double>(truth[j]) - static_cast<double>(reconstruction[j]);
      sum += gap * gap;
    }
    errors.push_back(elements == 0 ? 0 : sum / static_cast<double>(elements));
  }
  return errors;
}

double quantile(std::span<const double> values, double q) {
  if (values.empty() || !(q >= 0 && q <= 1) ||
      std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("quantile {} of {} values: pass a share in [0, 1] and at least "
                                  "one value, none of them NaN",
                                  q,
                                  values.size()));
  }
  std::vector<double> sorted(values.begin(), values.end());
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = sorted.begin() + static_cast<std::ptrdiff_t>(std::floor(at));
  std::nth_element(sorted.begin(), below, sorted.end());
  const double share = at - std::floor(at);
  if (share == 0) {
    return *below;
  }
  return std::lerp(*below, *std::min_element(below + 1, sorted.end()), share);
}

AnomalyScore anomaly_score(std::span<const double> errors,
                           std::span<const uint8_t> anomalous,
                           double threshold) {
  AnomalyScore score;
  score.auroc = auroc(errors, anomalous);
  score.average_precision = average_precision(errors, anomalous);
  for (size_t i = 0; i < errors.size(); ++i) {
    const bool called = errors[i] > threshold;
    if (anomalous[i] != 0) {
      ++score.anomalies;
      score.hits += called ? 1 : 0;
    } else {
      ++score.normal;
      score.false_alarms += called ? 1 : 0;
    }
  }
  score.precision = part(score.hits, score.hits + score.false_alarms);
  score.recall = part(score.hits, score.anomalies);
  score.f1 = part(2 * score.hits, score.anomalies + score.hits + score.false_alarms);
  score.false_alarm_rate = part(score.false_alarms, score.normal);
  return score;
}

}  // namespace coppice::monitor
