#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "monitor/drift.h"
#include "monitor/running.h"

namespace coppice::monitor {

/// ADWIN2 (Bifet and Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing", SDM
/// 2007).
///
/// Keeps the longest window without a change of its mean: whenever two parts of it have means that
/// differ by more than the bound below, its oldest bucket goes and drift is signalled. The window
/// is an exponential histogram: buckets of 2^row values, at most kMaxBuckets of a row, so n values
/// take O(log n) memory and time per value.
///
/// For parts of n0 and n1 values and 1/m = 1/n0 + 1/n1, the bound is (section 4 of the paper, with
/// delta' = delta / ln n)
///     sqrt(2 / m * variance * ln(2 / delta')) + 2 / (3 m) * ln(2 / delta').
/// Without a change the window shrinks at a given value with a chance of about delta at most.
class Adwin final : public DriftDetector {
 public:
  static constexpr size_t kMaxBuckets = 5;

  /// Throws Error{InvalidArgument}: delta outside (0, 1), min_samples below 1.
  explicit Adwin(const DriftOptions& options);

  /// Also throws Error{InvalidArgument} for a value outside [0, 1], where the bound would not hold.
  bool add(double value) override;
  void reset() override;

  int64_t width() const { return window_.count(); }  ///< values in the window

  double mean() const { return window_.mean(); }  ///< of the window

  size_t buckets() const;

 private:
  void compress();
  bool has_cut() const;
  void drop_oldest();

  double delta_;
  int64_t min_samples_;
  int64_t since_signal_ = 0;
  RunningStatistics window_;
  std::vector<std::deque<RunningStatistics>>
      rows_;  ///< row r: buckets of 2^r values, the oldest in front
};

std::unique_ptr<DriftDetector> make_adwin(const DriftOptions& options);

}  // namespace coppice::monitor
