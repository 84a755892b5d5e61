#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "jobs/executor.h"
#include "loop/options.h"
#include "loop/pipeline.h"
#include "loop/stages.h"
#include "monitor/confusion.h"

namespace coppice::loop {

struct ExperimentResult {
  std::map<std::string, double>
      figures;  ///< "accuracy", "macs", "bytes", "latency_us", … of what would ship
  Lineage lineage;
  std::vector<std::vector<double>> confusion;  ///< of what would ship, on the test images
  std::vector<std::string> class_names;
  std::vector<StageTime> times;
};

/// `kind: train`: imports, trains, compresses if asked to, evaluates on the test images with the
/// device engine. `folder` gets `data/` and model.onnx.
ExperimentResult run_experiment(const ExperimentOptions& options,
                                const std::filesystem::path& folder,
                                jobs::Executor& executor,
                                const jobs::StageCache& cache);

}  // namespace coppice::loop
