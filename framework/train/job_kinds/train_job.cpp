#include <cmath>
#include <map>
#include <thread>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/error.h"
#include "data/store.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "recipe/recipe.h"
#include "report/metrics_log.h"
#include "train/check_model.h"
#include "train/checkpoint.h"
#include "train/components.h"
#include "train/evaluate.h"
#include "train/network.h"
#include "train/teacher.h"
#include "train/train_report.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

namespace fs = std::filesystem;

/// Inputs of the job, read.
struct Inputs {
  data::Version version;
  data::DatasetPtr train;
  data::DatasetPtr validation;
  data::DatasetPtr replay;
  std::unique_ptr<Teacher> teacher;
};

Inputs read_inputs(const JobContext& context) {
  const auto open = [&](const std::string& role) {
    return context.has_input(role) ? data::open_version(context.input(role)) : nullptr;
  };
  Inputs inputs;
  inputs.train = data::open_version(context.input("train"));
  inputs.version = data::describe_version(context.input("train"));
  inputs.validation = open("validation");
  inputs.replay = open("replay");
  if (context.has_input("teacher")) {
    inputs.teacher = std::make_unique<Teacher>(graph::load_onnx(context.input("teacher")),
                                               inputs.train->schema());
  }
  return inputs;
}

graph::Model initial_model(const JobContext& context,
                           const recipe::TrainJob& job,
                           const data::Version& version) {
  if (context.has_input("model")) {
    return graph::load_onnx(context.input("model"));
  }
  graph::ModelInput input;
  input.dtype = version.schema.type == data::ElementType::U8 ? graph::DType::U8 : graph::DType::F32;
  input.sample_shape = version.schema.sample_shape;
  input.mean = version.statistics.mean;
  input.std = version.statistics.std;
  for (double& std : input.std) {
    std = std > 0 ? std : 1;  // a constant channel has nothing to scale
  }
  input.class_names = version.schema.class_names;
  return graph::build_model(job.model, input, context.spec.seed);
}

std::map<std::string, double> to_row(const EpochMetrics& m) {
  std::map<std::string, double> row{{"learning_rate", m.learning_rate},
                                    {"loss", m.loss},
                                    {"accuracy", m.accuracy},
                                    {"seconds", m.seconds}};
  if (!std::isnan(m.validation_loss)) {
    row["validation_loss"] = m.validation_loss;
    row["validation_accuracy"] = m.validation_accuracy;
  }
  return row;
}

/// metrics.jsonl, begun anew with what a checkpoint remembers: a killed run may have written an
/// epoch twice.
report::MetricsLog open_log(const fs::path& file, const std::vector<EpochMetrics>& history) {
  fs::remove(file);
  report::MetricsLog log(file);
  for (const EpochMetrics& m : history) {
    log.write(m.epoch, to_row(m));
  }
  return log;
}

std::unique_ptr<Checkpoint> find_checkpoint(const fs::path& file, const std::string& job) {
  if (!fs::exists(file)) {
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

/// `accuracy` and `loss` are of the validation data where there is some, of the training data
/// otherwise.
std::map<std::string, double> figures_of(const graph::Model& model,
                                         const std::vector<EpochMetrics>& history,
                                         double seconds) {
  const EpochMetrics& last = history.back();
  const bool validated = !std::isnan(last.validation_loss);
  const graph::Cost cost = graph::cost(model);
  return {{"accuracy", validated ? last.validation_accuracy : last.accuracy},
          {"loss", validated ? last.validation_loss : last.loss},
          {"train_accuracy", last.accuracy},
          {"train_loss", last.loss},
          {"epochs", static_cast<double>(history.size())},
          {"macs", static_cast<double>(cost.macs)},
          {"parameters", static_cast<double>(cost.parameters)},
          {"weight_bytes", static_cast<double>(cost.weight_bytes)},
          {"seconds", seconds}};
}

std::vector<std::unique_ptr<Strategy>> make_strategies(const JobContext& context,
                                                       const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<Strategy>> strategies;
  for (const std::string& name : names) {
    strategies.push_back(context.components.strategies.get(name)());
  }
  return strategies;
}

}  // namespace

void run_train_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"train", "validation", "replay", "model", "teacher"});
  const auto job = core::read_options<recipe::TrainJob>(
      core::parse_config_text(context.spec.options, "options"));
  const auto strategies = make_strategies(context, job.train.strategies);
  const auto cores = static_cast<int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(static_cast<int>(job.train.threads > 0 ? job.train.threads : cores));

  const Inputs inputs = read_inputs(context);
  graph::Model initial = initial_model(context, job, inputs.version);
  check_model_fits(initial, inputs.train->schema(), "model");
  initial.metadata.class_names = inputs.train->schema().class_names;
  initial.metadata.lineage["dataset"] = inputs.version.hash;
  initial.metadata.lineage["stage"] = context.spec.name;
  Network network(std::move(initial));

  const fs::path checkpoint_file = context.folder / "checkpoint.h5";
  const std::string key = jobs::stage_key(context.spec, "");
  const auto resume = find_checkpoint(checkpoint_file, key);
  report::MetricsLog log = open_log(context.folder / "metrics.jsonl",
                                    resume ? resume->state.history : std::vector<EpochMetrics>{});
  TrainingTask task{.name = context.spec.name,
                    .train = inputs.train,
                    .validation = inputs.validation,
                    .replay = inputs.replay,
                    .teacher = inputs.teacher.get(),
                    .strategies = {},
                    .options = job.train,
                    .seed = context.spec.seed,
                    .on_progress = context.on_progress,
                    .on_epoch = [&](const TrainingState& state) {
                      log.write(state.history.back().epoch, to_row(state.history.back()));
                      save_checkpoint(checkpoint_file, {key, network.to_model(), state});
                    }};
  for (const auto& strategy : strategies) {
    task.strategies.push_back(strategy.get());
  }
  const std::vector<EpochMetrics> history = train(network, task, resume ? &resume->state : nullptr);

  const graph::Model trained = network.to_model();
  const auto figures = figures_of(trained, history, watch.seconds());
  graph::save_onnx(trained, context.folder / "model.onnx");
  write_train_report(context.folder / "report.html", context.spec, trained, history, figures);
  report::write_summary(context.folder / "summary.json",
                        figures,
                        {{"kind", context.spec.kind},
                         {"name", context.spec.name},
                         {"accuracy_of", inputs.validation ? "validation" : "training"},
                         {"dataset", inputs.version.hash}});
}

}  // namespace coppice::train
