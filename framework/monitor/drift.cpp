#include "monitor/drift.h"

#include "monitor/adwin.h"
#include "monitor/page_hinkley.h"

namespace coppice::monitor {

void DriftOptions::visit(core::Fields& f) {
  f.field("detector",
          detector,
          {.help = "rule that signals drift", .choices = drift_detectors().names()});
  f.field(
      "delta",
      delta,
      {.help =
           "page_hinkley: change of the mean tolerated; adwin: chance of a false alarm per value",
       .min = 0,
       .max = 1});
  f.field("threshold",
          threshold,
          {.help = "page_hinkley: cumulated deviation that counts as drift", .min = 0});
  f.field("min_samples",
          min_samples,
          {.help = "values since the start or the last signal before the next one",
           .unit = "values",
           .min = 1});
}

const core::Registry<DriftDetectorFactory>& drift_detectors() {
  static const auto registry = [] {
    core::Registry<DriftDetectorFactory> detectors("drift detector");
    detectors.add("adwin",
                  make_adwin,
                  "adaptive window: a change of the mean, up or down (Bifet and Gavalda, 2007)");
    detectors.add(
        "page_hinkley", make_page_hinkley, "cumulated sum: an increase of the mean (Page, 1954)");
    return detectors;
  }();
  return registry;
}

std::unique_ptr<DriftDetector> make_drift_detector(const DriftOptions& options) {
  return drift_detectors().get(options.detector)(options);
}

}  // namespace coppice::monitor
