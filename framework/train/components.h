#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/registry.h"
#include "jobs/executor.h"
#include "jobs/spec.h"
#include "train/strategy.h"

namespace coppice::train {

class RankGroup;
struct Components;

/// What a job kind is given to run one job.
struct JobContext {
  const jobs::JobSpec& spec;
  std::filesystem::path folder;  ///< exists; outputs go here
  const Components& components;
  std::function<void(const jobs::JobProgress&)> on_progress = {};
  /// The processes that run this job together, or null. Only rank 0 writes to `folder`.
  RankGroup* ranks = nullptr;

  /// The file of an input role. Throws Error{Config} when the job does not name it.
  const std::filesystem::path& input(const std::string& role) const;

  bool has_input(const std::string& role) const { return spec.inputs.contains(role); }

  /// Throws Error{Config} for an input that is not among `roles`.
  void allow_inputs(const std::vector<std::string>& roles) const;

  /// Throws Error{Config} naming the place of what is wrong.
  template <class Options>
  Options options() const {
    return core::read_options<Options>(core::parse_config_text(spec.options, "options"));
  }

  /// summary.json; the job's kind and name are among the notes.
  void write_summary(const std::map<std::string, double>& figures,
                     std::map<std::string, std::string> notes = {}) const;
};

using JobKind = std::function<void(const JobContext&)>;

/// Everything that a job may name. A program of one's own adds to the built-in ones and calls
/// train_main.
struct Components {
  core::Registry<JobKind> job_kinds{"job kind"};
  core::Registry<StrategyFactory> strategies{"strategy"};
};

Components built_in_components();

void run_train_job(const JobContext& context);
void run_train_family_job(const JobContext& context);
void run_prune_job(const JobContext& context);
void run_quantise_job(const JobContext& context);
void run_low_rank_job(const JobContext& context);
void run_sparsify_job(const JobContext& context);
void run_share_job(const JobContext& context);
void run_encode_job(const JobContext& context);
void run_torchscript_job(const JobContext& context);
void run_evaluate_job(const JobContext& context);
void run_class_bias_job(const JobContext& context);
void run_predict_job(const JobContext& context);
void run_eager_job(const JobContext& context);
void run_sensitivity_job(const JobContext& context);

}  // namespace coppice::train
