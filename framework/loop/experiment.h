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
  /// Of what would ship: "macs", "bytes", "latency_us", and what judging it on the test data gave
  /// ("accuracy", …, "rmse", …, "reconstruction_error", …). "float_…": before compression.
  std::map<std::string, double> figures;
  Lineage lineage;
  std::filesystem::path evaluation;  ///< folder of the job that judged it; its report.html has all
  std::vector<std::vector<double>> confusion;  ///< on the test data; empty but for classifiers
  std::vector<std::string> class_names;
  std::vector<StageTime> times;
};

/// `kind: train`: imports, trains, compresses if asked to, judges on the test data with the device
/// engine: classifiers, regressions and reconstructions. `folder` gets `data/` and model.onnx.
ExperimentResult run_experiment(const ExperimentOptions& options,
                                const std::filesystem::path& folder,
                                jobs::Executor& executor,
                                const jobs::StageCache& cache);

}  // namespace coppice::loop
