#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "jobs/spec.h"
#include "train/trainer.h"

namespace coppice::train {

/// report.html of a training run: figures, learning curves, the network and the job.
void write_train_report(const std::filesystem::path& file,
                        const jobs::JobSpec& spec,
                        const graph::Model& model,
                        const std::vector<EpochMetrics>& history,
                        const std::map<std::string, double>& figures);

}  // namespace coppice::train
