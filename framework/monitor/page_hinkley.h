#pragma once

#include <memory>

#include "monitor/drift.h"
#include "monitor/running.h"

namespace coppice::monitor {

/// Page-Hinkley test for an increase of the mean (Page, Biometrika 1954; as in Gama et al., ACM
/// Computing Surveys 2014).
///
/// Sums x_t - mean_t - delta, where mean_t is the mean of x_1…x_t, and signals when the sum stands
/// more than `threshold` above its least value so far; then it starts afresh, so that the new mean
/// becomes the reference. Values of any range.
class PageHinkley final : public DriftDetector {
 public:
  /// Throws Error{InvalidArgument}: a negative or infinite delta or threshold, min_samples below 1.
  explicit PageHinkley(const DriftOptions& options);

  bool add(double value) override;
  void reset() override;

 private:
  double delta_;
  double threshold_;
  int64_t min_samples_;
  RunningStatistics seen_;
  double sum_ = 0;
  double least_ = 0;
};

std::unique_ptr<DriftDetector> make_page_hinkley(const DriftOptions& options);

}  // namespace coppice::monitor
