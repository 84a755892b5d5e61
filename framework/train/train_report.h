#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "jobs/spec.h"
#include "report/metrics_log.h"
#include "train/judgement.h"

namespace coppice::train {

/// report.html of a training run: figures, learning curves over epochs with the best one marked,
/// what the validation data shows, the network and the job.
///
/// `rows`: as in metrics.jsonl, one per epoch; `judgement`: of the validation data, or null.
void write_train_report(const std::filesystem::path& file,
                        const jobs::JobSpec& spec,
                        const graph::Model& model,
                        const std::vector<report::MetricsRow>& rows,
                        const std::map<std::string, double>& figures,
                        const Judgement* judgement);

}  // namespace coppice::train
