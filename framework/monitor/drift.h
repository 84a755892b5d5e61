#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/fields.h"
#include "core/registry.h"

namespace coppice::monitor {

struct DriftOptions {
  std::string detector = "page_hinkley";  ///< see drift_detectors()
  double delta = 0.005;                   ///< change tolerated
  double threshold = 20;                  ///< page_hinkley: cumulated deviation that counts as drift; adwin: confidence uses delta
  int64_t min_samples = 30;

  void visit(core::Fields& f);
};

/// Watches a stream of numbers (errors as 0 or 1, confidences) for a change of its mean.
class DriftDetector {
 public:
  virtual ~DriftDetector() = default;
  /// Returns whether drift is signalled at this value.
  virtual bool add(double value) = 0;
  virtual void reset() = 0;
};

using DriftDetectorFactory = std::unique_ptr<DriftDetector> (*)(const DriftOptions&);

/// "page_hinkley" (Page, 1954; increase of the mean), "adwin" (Bifet and Gavaldà, SDM 2007).
const core::Registry<DriftDetectorFactory>& drift_detectors();
std::unique_ptr<DriftDetector> make_drift_detector(const DriftOptions& options);

}  // namespace coppice::monitor
