#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/fields.h"
#include "core/registry.h"

namespace coppice::monitor {

struct DriftOptions {
  std::string detector = "page_hinkley";  ///< see drift_detectors()
  double delta =
      0.005;  ///< page_hinkley: change of the mean tolerated; adwin: confidence in (0, 1)
  double threshold = 20;  ///< page_hinkley: cumulated deviation that counts as drift; adwin: unused
  int64_t min_samples = 30;  ///< values since the start or the last signal before the next one

  void visit(core::Fields& f);
};

/// Watches a stream of numbers (errors as 0 or 1, confidences) for a change of its mean. Not
/// thread-safe.
class DriftDetector {
 public:
  virtual ~DriftDetector() = default;

  /// Returns whether drift is signalled at this value; afterwards it watches for the next change.
  /// Throws Error{Numeric} for NaN or infinity; then the state stays as it was.
  virtual bool add(double value) = 0;

  /// Forgets the stream.
  virtual void reset() = 0;
};

/// Throws Error{InvalidArgument} for options that do not fit the detector.
using DriftDetectorFactory = std::unique_ptr<DriftDetector> (*)(const DriftOptions&);

/// "page_hinkley" (increases of the mean), "adwin" (changes both ways of values in [0, 1]).
const core::Registry<DriftDetectorFactory>& drift_detectors();

/// Throws Error{NotFound} for an unknown name.
std::unique_ptr<DriftDetector> make_drift_detector(const DriftOptions& options);

}  // namespace coppice::monitor
