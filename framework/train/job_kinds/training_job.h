#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/store.h"
#include "graph/zoo.h"
#include "recipe/recipe.h"
#include "report/metrics_log.h"
#include "train/checkpoint.h"
#include "train/strategy.h"
#include "train/training_state.h"

namespace coppice::train {

class RankGroup;
struct JobContext;

/// What the kinds of job that train have in common.

/// What the data says of a network to build for it.
graph::ModelInput model_input(const data::Version& version, const std::string& task);

/// metrics.jsonl, begun anew with what a checkpoint remembers: a killed run may have written an
/// epoch twice.
report::MetricsLog open_log(const std::filesystem::path& file,
                            const std::vector<EpochMetrics>& history);

/// A row of metrics.jsonl.
std::map<std::string, double> to_row(const EpochMetrics& metrics);
std::vector<report::MetricsRow> metric_rows(const std::vector<EpochMetrics>& history);

/// nullptr where there is none. Throws Error{Refused} for that of another job.
std::unique_ptr<Checkpoint> find_checkpoint(const std::filesystem::path& file,
                                            const std::string& job);

/// By name, in order. Throws Error{NotFound}.
std::vector<std::unique_ptr<Strategy>> make_strategies(const JobContext& context,
                                                       const std::vector<std::string>& names);

/// ATen's threads for a network of `macs` multiply-adds.
void set_threads(const recipe::TrainOptions& options, int64_t macs, const RankGroup* ranks);

}  // namespace coppice::train
