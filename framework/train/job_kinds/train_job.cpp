#include <cmath>
#include <map>
#include <optional>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "data/store.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "graph/standardise.h"
#include "recipe/check.h"
#include "recipe/recipe.h"
#include "report/metrics_log.h"
#include "train/check_model.h"
#include "train/checkpoint.h"
#include "train/components.h"
#include "train/compute.h"
#include "train/distillation/regressor.h"
#include "train/evaluate.h"
#include "train/event_log.h"
#include "train/job_kinds/training_job.h"
#include "train/network.h"
#include "train/objective.h"
#include "train/qat/qat.h"
#include "train/ranks/rank_group.h"
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
  return inputs;
}

/// A constant channel has nothing to scale.
std::vector<double> usable_std(const data::Version& version) {
  std::vector<double> result = version.statistics.std;
  for (double& std : result) {
    std = std > 0 ? std : 1;
  }
  return result;
}

/// A network of another program takes what its own training prepared; ours take raw values.
graph::Model with_preprocessing(graph::Model model,
                                const recipe::ImportedOptions& imported,
                                const data::Version& version) {
  const auto inputs = model.graph.inputs();
  const bool bytes = version.schema.type == data::ElementType::U8;
  const bool takes_floats = inputs.size() == 1 && inputs[0]->dtype == graph::DType::F32;
  if (!takes_floats || (!bytes && imported.mean.empty() && imported.std.empty())) {
    return model;
  }
  graph::Standardisation values{version.statistics.mean, usable_std(version)};
  if (!imported.mean.empty() || !imported.std.empty()) {
    values = {imported.mean.empty() ? std::vector<double>{0} : imported.mean,
              imported.std.empty() ? std::vector<double>{1} : imported.std};
  }
  return graph::standardise_input(
      std::move(model), values, bytes ? graph::DType::U8 : graph::DType::F32);
}

/// The names of the job's teachers, in their order: teacher, teacher2, teacher3, …
std::vector<std::string> teacher_roles(const JobContext& context) {
  std::vector<std::string> roles;
  for (std::string role = "teacher"; context.has_input(role);
       role = fmt::format("teacher{}", roles.size() + 1)) {
    roles.push_back(role);
  }
  return roles;
}

/// nullptr for a student that has none.
std::unique_ptr<Teacher> read_teacher(const JobContext& context,
                                      const recipe::DistilOptions& options,
                                      const graph::Model& student,
                                      const data::Schema& schema,
                                      const Compute& compute) {
  TeacherModels models;
  for (const std::string& role : teacher_roles(context)) {
    models.emplace_back(role, graph::load_onnx(context.input(role)));
  }
  if (models.empty() && !options.self) {
    return nullptr;
  }
  return std::make_unique<Teacher>(models, student, schema, options, compute.device());
}

graph::Model given_or_built(const JobContext& context,
                            const recipe::TrainJob& job,
                            const data::Version& version,
                            const std::string& task) {
  if (context.has_input("model")) {
    return with_preprocessing(graph::load_onnx(context.input("model")), job.imported, version);
  }
  return graph::build_model(job.model, model_input(version, task), context.spec.seed);
}

/// The network to begin with, knowing its task, its classes and where it comes from.
graph::Model initial_model(const JobContext& context,
                           const recipe::TrainJob& job,
                           const data::Version& version) {
  const std::string task = recipe::task_of(job.train.task, version.schema);
  graph::Model model = given_or_built(context, job, version, task);
  model.metadata.task = task;
  check_model_fits(model, version.schema, "model");
  const bool classes = task == "classification";
  model.metadata.class_names = classes ? version.schema.class_names : std::vector<std::string>{};
  model.metadata.lineage["dataset"] = version.hash;
  model.metadata.lineage["stage"] = context.spec.name;
  return model;
}

/// Whose weights a run ends with.
const EpochMetrics& kept_epoch(const std::vector<EpochMetrics>& history,
                               const recipe::EarlyStoppingOptions& stopping) {
  if (stopping.patience == 0 || !stopping.restore_best) {
    return history.back();
  }
  size_t kept = history.size() - 1;
  EarlyStoppingState state;
  for (size_t i = 0; i < history.size(); ++i) {
    state = after_epoch(state, history[i].validation_loss, stopping);
    kept = state.just_improved() ? i : kept;
  }
  return history[kept];
}

/// `accuracy` and `loss` are of the validation data where there is some, of the training data
/// otherwise; of the epoch whose weights are kept. No accuracy where the task has none.
std::map<std::string, double> figures_of(const graph::Model& model,
                                         const std::vector<EpochMetrics>& history,
                                         const recipe::EarlyStoppingOptions& stopping,
                                         double seconds) {
  const EpochMetrics& kept = kept_epoch(history, stopping);
  const bool validated = !std::isnan(kept.validation_loss);
  const graph::Cost cost = graph::cost(model);
  std::map<std::string, double> figures{
      {"accuracy", validated ? kept.validation_accuracy : kept.accuracy},
      {"loss", validated ? kept.validation_loss : kept.loss},
      {"train_accuracy", kept.accuracy},
      {"train_loss", kept.loss},
      {"epochs", static_cast<double>(history.size())},
      {"macs", static_cast<double>(cost.macs)},
      {"parameters", static_cast<double>(cost.parameters)},
      {"weight_bytes", static_cast<double>(cost.weight_bytes)},
      {"seconds", seconds}};
  std::erase_if(figures, [](const auto& entry) { return std::isnan(entry.second); });
  return figures;
}

/// What the trained network makes of the validation data; nothing without one.
std::optional<Judgement> judge_validation(Network& network,
                                          const Inputs& inputs,
                                          const recipe::TaskOptions& options,
                                          const graph::Model& trained) {
  if (!inputs.validation) {
    return std::nullopt;
  }
  const std::string& task = trained.metadata.task;
  const JudgeOptions judging{
      .task = task, .loss = recipe::loss_of(options, task), .huber_delta = options.huber_delta};
  return judge(predict(network, *inputs.validation, 500, judging),
               {.threshold = trained.metadata.anomaly_threshold, .normal_classes = {}});
}

/// model.onnx, report.html and summary.json.
void write_results(const JobContext& context,
                   const recipe::TrainJob& job,
                   const Compute& compute,
                   const Inputs& inputs,
                   Network& network,
                   const std::vector<EpochMetrics>& history,
                   double seconds) {
  graph::Model trained = remove_regressors(network.to_model());
  auto figures = figures_of(trained, history, job.train.early_stopping, seconds);
  if (trained.metadata.task == "reconstruction") {
    const data::Dataset& normal = inputs.validation ? *inputs.validation : *inputs.train;
    const double threshold =
        monitor::quantile(reconstruction_errors(network, normal), job.train.task.anomaly_quantile);
    trained.metadata.anomaly_threshold = threshold;
    figures["anomaly_threshold"] = threshold;
  }
  graph::save_onnx(trained, context.folder / "model.onnx");
  const auto judgement = judge_validation(network, inputs, job.train.task, trained);
  if (judgement) {
    figures.insert(judgement->figures.begin(), judgement->figures.end());
  }
  write_train_report(context.folder / "report.html",
                     context.spec,
                     trained,
                     metric_rows(history),
                     figures,
                     judgement ? &*judgement : nullptr);
  context.write_summary(figures,
                        {{"accuracy_of", inputs.validation ? "validation" : "training"},
                         {"dataset", inputs.version.hash},
                         {"device", std::string(compute.device_name())},
                         {"precision", std::string(compute.precision_name())}});
}

}  // namespace

void run_train_job(const JobContext& context) {
  const core::Stopwatch watch;
  std::vector<std::string> roles = teacher_roles(context);
  roles.insert(roles.end(), {"train", "validation", "replay", "model", "teacher"});
  context.allow_inputs(roles);
  const auto job = context.options<recipe::TrainJob>();
  const auto strategies = make_strategies(context, job.train.strategies);
  const Compute compute =
      choose_compute(job.train,
                     this_machine(),
                     context.ranks == nullptr ? 0 : context.ranks->placement().local_rank);
  if (!compute.notice.empty()) {
    core::log_info(compute.notice);
  }
  const Inputs inputs = read_inputs(context);
  const recipe::DistilOptions& distil = job.train.distil;
  graph::Model initial = initial_model(context, job, inputs.version);
  const auto teacher = read_teacher(context, distil, initial, inputs.train->schema(), compute);
  if (teacher) {
    initial = add_regressors(std::move(initial), distil, teacher->graphs(), context.spec.seed);
  }
  set_threads(job.train, graph::cost(initial).macs, context.ranks);
  std::optional<QuantisedTraining> qat;
  if (job.train.qat.any()) {
    qat.emplace(initial, *inputs.train, job.train.qat);
  }
  Network network(qat ? qat->model() : initial,
                  compute.bfloat16 ? Precision::Mixed : Precision::Single,
                  compute.device());
  if (qat) {
    qat->simulate_in(network);
  }

  const fs::path checkpoint_file = context.folder / "checkpoint.h5";
  const std::string key = jobs::stage_key(context.spec, "");
  const auto resume = find_checkpoint(checkpoint_file, key);
  TrainingTask task{.name = context.spec.name,
                    .train = inputs.train,
                    .validation = inputs.validation,
                    .replay = inputs.replay,
                    .teacher = teacher.get(),
                    .strategies = {},
                    .options = job.train,
                    .seed = context.spec.seed,
                    .on_progress = context.on_progress,
                    .on_epoch = {},
                    .on_checkpoint = {},
                    .ranks = context.ranks,
                    .checkpoint_name = checkpoint_file.string()};
  for (const auto& strategy : strategies) {
    task.strategies.push_back(strategy.get());
  }
  const TrainingState* state = resume ? &resume->state : nullptr;
  if (context.ranks != nullptr && context.ranks->placement().rank > 0) {
    train(network, task, state);
    return;
  }
  report::MetricsLog log = open_log(context.folder / "metrics.jsonl",
                                    state ? state->history : std::vector<EpochMetrics>{});
  EventLog events(context.folder);
  task.strategies.push_back(&events);
  task.on_epoch = [&](const EpochMetrics& m) {
    log.write(m.epoch, to_row(m));
    events.write_epoch(m.epoch, to_row(m));
  };
  task.on_checkpoint = [&](const TrainingState& reached) {
    save_checkpoint(checkpoint_file, {key, network.to_model(), reached});
  };
  const std::vector<EpochMetrics> history = train(network, task, state);
  if (qat) {
    Network int8(qat->finish(network), Precision::Single, compute.device());
    write_results(context, job, compute, inputs, int8, history, watch.seconds());
  } else {
    write_results(context, job, compute, inputs, network, history, watch.seconds());
  }
}

}  // namespace coppice::train
