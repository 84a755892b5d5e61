#include "monitor/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::monitor {

namespace {

void check_calibration(std::span<const double> confidence,
                       std::span<const uint8_t> correct,
                       int bins) {
  if (confidence.size() != correct.size()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("calibration: {} confidences but {} outcomes; pass one of each per sample",
                    confidence.size(),
                    correct.size()));
  }
  if (bins < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("calibration: {} bins; pass at least 1", bins));
  }
  for (size_t i = 0; i < confidence.size(); ++i) {
    if (!(confidence[i] >= 0 && confidence[i] <= 1)) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          fmt::format(
              "calibration: confidence {} of sample {} is outside [0, 1]", confidence[i], i));
    }
  }
}

void add_to(CalibrationBin& bin, double confidence, uint8_t correct) {
  ++bin.count;
  bin.confidence += confidence;
  bin.accuracy += correct != 0 ? 1 : 0;
}

/// Turns sums into means.
void finish(std::vector<CalibrationBin>& bins) {
  for (CalibrationBin& bin : bins) {
    const auto count = static_cast<double>(std::max<int64_t>(bin.count, 1));
    bin.confidence /= count;
    bin.accuracy /= count;
  }
}

}  // namespace

std::vector<CalibrationBin> calibration_bins(std::span<const double> confidence,
                                             std::span<const uint8_t> correct,
                                             int bins) {
  check_calibration(confidence, correct, bins);
  std::vector<CalibrationBin> table(static_cast<size_t>(bins));
  for (int m = 0; m < bins; ++m) {
    table[static_cast<size_t>(m)].low = static_cast<double>(m) / bins;
    table[static_cast<size_t>(m)].high = static_cast<double>(m + 1) / bins;
  }
  for (size_t i = 0; i < confidence.size(); ++i) {
    const int bin = static_cast<int>(std::ceil(confidence[i] * bins)) - 1;
    add_to(table[static_cast<size_t>(std::clamp(bin, 0, bins - 1))], confidence[i], correct[i]);
  }
  finish(table);
  return table;
}

std::vector<CalibrationBin> adaptive_calibration_bins(std::span<const double> confidence,
                                                      std::span<const uint8_t> correct,
                                                      int bins) {
  check_calibration(confidence, correct, bins);
  std::vector<size_t> order(confidence.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return confidence[a] < confidence[b];
  });
  const size_t parts = std::min(static_cast<size_t>(bins), order.size());
  std::vector<CalibrationBin> table(parts);
  size_t at = 0;
  for (size_t m = 0; m < parts; ++m) {
    const size_t size = order.size() / parts + (m < order.size() % parts ? 1 : 0);
    table[m].low = m == 0 ? confidence[order.front()] : table[m - 1].high;
    for (const size_t end = at + size; at < end; ++at) {
      add_to(table[m], confidence[order[at]], correct[order[at]]);
    }
    table[m].high = confidence[order[at - 1]];
  }
  finish(table);
  return table;
}

double calibration_error(std::span<const CalibrationBin> bins) {
  double gap = 0;
  int64_t total = 0;
  for (const CalibrationBin& bin : bins) {
    gap += static_cast<double>(bin.count) * std::abs(bin.accuracy - bin.confidence);
    total += bin.count;
  }
  return total == 0 ? 0 : gap / static_cast<double>(total);
}

double expected_calibration_error(std::span<const double> confidence,
                                  std::span<const uint8_t> correct,
                                  int bins) {
  return calibration_error(calibration_bins(confidence, correct, bins));
}

double adaptive_calibration_error(std::span<const double> confidence,
                                  std::span<const uint8_t> correct,
                                  int bins) {
  return calibration_error(adaptive_calibration_bins(confidence, correct, bins));
}

}  // namespace coppice::monitor
