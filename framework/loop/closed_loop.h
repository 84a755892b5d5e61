#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "jobs/executor.h"
#include "loop/options.h"
#include "loop/stages.h"

namespace coppice::loop {

/// One day of the table.
struct DayRow {
  int64_t day = 0;
  std::string phase;
  double frozen_accuracy = 0;  ///< first release, on the test images as this day shows them
  double loop_accuracy =
      0;  ///< the same for what the devices run at the end of the day, mean over devices
  double stream_accuracy = 0;  ///< of the day's real inferences
  double estimated_accuracy =
      0;  ///< of the day, by the cloud from audited samples alone; NaN without any
  int64_t inferred = 0;
  int64_t uploaded = 0;        ///< samples that reached the cloud on this day
  int64_t uploaded_bytes = 0;  ///< of messages that devices sent, all kinds and repeats included
  uint64_t release = 0;        ///< promoted at the end of the day
  std::vector<std::string> events;
};

struct LoopResult {
  std::vector<DayRow> days;
  std::map<std::string, double> figures;
  std::vector<std::vector<double>>
      confusion_before;  ///< first release on the last day's test images
  std::vector<std::vector<double>> confusion_after;  ///< last release on them
  std::vector<std::string> class_names;
  std::vector<StageTime> times;
};

/// Runs the closed loop on a virtual clock. Everything lies in `folder`: `data/` (versions),
/// `cloud/`, `devices/`. Deterministic: equal options and seed give equal results, times aside;
/// finished jobs found in `cache` are not run again, so an interrupted run goes on where it was.
/// Throws core::Error; Error{Refused} when the first artefact fails its gate.
LoopResult run_loop(const LoopOptions& options,
                    const std::filesystem::path& folder,
                    jobs::Executor& executor,
                    const jobs::StageCache& cache);

}  // namespace coppice::loop
