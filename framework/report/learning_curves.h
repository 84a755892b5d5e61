#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/metrics_log.h"

namespace coppice::report {

/// The row of a run's best epoch by a metric: the validation data's where it has some. The earliest
/// of equals; nothing when no row has the metric.
struct BestEpoch {
  std::string metric;
  int64_t epoch = 0;
  double value = 0;
};

std::optional<BestEpoch> best_epoch(const std::vector<MetricsRow>& rows, const std::string& metric);

/// Charts over epochs, unsmoothed: the loss, then each other metric of which there is a training or
/// a "validation_" value, each with its best epoch marked, then the learning rate. `rows` as
/// metrics.jsonl has them, one per epoch. Times and names with a "." have no chart of their own.
std::vector<std::string> learning_curves(const std::vector<MetricsRow>& rows,
                                         const std::string& x_label = "epoch");

}  // namespace coppice::report
