#include "train/job_kinds/training_job.h"

#include <cmath>

#include "core/error.h"
#include "train/components.h"
#include "train/process_setup.h"
#include "train/ranks/rank_group.h"
#include "train/sample_tensor.h"

namespace coppice::train {

graph::ModelInput model_input(const data::Version& version, const std::string& task) {
  graph::ModelInput input;
  input.dtype = input_dtype(version.schema);
  input.sample_shape = version.schema.sample_shape;
  input.mean = version.statistics.mean;
  input.std = version.statistics.std;
  for (double& std : input.std) {
    std = std > 0 ? std : 1;  // a constant channel has nothing to scale
  }
  input.class_names =
      task == "regression" ? version.schema.target_names : version.schema.class_names;
  return input;
}

std::map<std::string, double> to_row(const EpochMetrics& m) {
  std::map<std::string, double> row{{"learning_rate", m.learning_rate},
                                    {"loss", m.loss},
                                    {"accuracy", m.accuracy},
                                    {"validation_loss", m.validation_loss},
                                    {"validation_accuracy", m.validation_accuracy},
                                    {"seconds", m.seconds},
                                    {"input_wait_seconds", m.input_wait_seconds}};
  std::erase_if(row, [](const auto& entry) { return std::isnan(entry.second); });
  return row;
}

report::MetricsLog open_log(const std::filesystem::path& file,
                            const std::vector<EpochMetrics>& history) {
  std::filesystem::remove(file);
  report::MetricsLog log(file);
  for (const EpochMetrics& m : history) {
    log.write(m.epoch, to_row(m));
  }
  return log;
}

std::unique_ptr<Checkpoint> find_checkpoint(const std::filesystem::path& file,
                                            const std::string& job) {
  if (!std::filesystem::exists(file)) {
    return nullptr;
  }
  auto checkpoint = std::make_unique<Checkpoint>(load_checkpoint(file));
  if (checkpoint->job != job) {
    throw core::Error(core::ErrorKind::Refused,
                      file.string() +
                          " belongs to a job with other inputs, options or seed; use "
                          "another folder or delete it");
  }
  return checkpoint;
}

std::vector<report::MetricsRow> metric_rows(const std::vector<EpochMetrics>& history) {
  std::vector<report::MetricsRow> rows;
  for (const EpochMetrics& m : history) {
    rows.push_back({m.epoch, to_row(m)});
  }
  return rows;
}

std::vector<std::unique_ptr<Strategy>> make_strategies(const JobContext& context,
                                                       const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<Strategy>> strategies;
  for (const std::string& name : names) {
    strategies.push_back(context.components.strategies.get(name)());
  }
  return strategies;
}

void set_threads(const recipe::TrainOptions& options, int64_t macs, const RankGroup* ranks) {
  const int64_t ranks_there = ranks == nullptr ? 1 : ranks->placement().ranks;
  const int64_t here = ranks == nullptr ? 1 : ranks->placement().ranks_here;
  use_threads(
      threads_to_train_with(options.threads, macs * options.batch_size / ranks_there, here));
}

}  // namespace coppice::train
