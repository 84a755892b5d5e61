#include <algorithm>
#include <numeric>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/rng.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "report/learning_curves.h"
#include "train/batch_tensors.h"
#include "train/components.h"
#include "train/compute.h"
#include "train/distillation/family.h"
#include "train/evaluate.h"
#include "train/job_kinds/training_job.h"
#include "train/loader.h"
#include "train/mix.h"
#include "train/network.h"
#include "train/objective.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using Figures = std::map<std::string, double>;

NamedModels build_members(const recipe::TrainFamilyJob& job,
                          const data::Version& version,
                          uint64_t seed) {
  NamedModels members;
  const graph::ModelInput input = model_input(version, "classification");
  for (const recipe::FamilyMember& member : job.members) {
    graph::Model model =
        graph::build_model(member.model, input, core::Rng(seed).split(member.name).next());
    model.metadata.class_names = version.schema.class_names;
    model.metadata.lineage["dataset"] = version.hash;
    members.emplace_back(member.name, std::move(model));
  }
  return members;
}

/// Forward and backward of one batch; the median of a few.
double step_ms(Network& network,
               const Objective& objective,
               const LoadedBatch& batch,
               const data::Schema& schema) {
  constexpr int kSteps = 5;
  std::vector<double> times;
  for (int step = 0; step <= kSteps; ++step) {
    const core::Stopwatch watch;
    const Activations values = network.forward(samples_of(batch.batch, schema),
                                               {.training = true, .keep = objective.reads()});
    objective.loss(values, batch, {}, nullptr).backward();
    network.clear_gradients();
    times.push_back(watch.seconds() * 1e3);
  }
  times.erase(times.begin());  // memory is still cold
  std::nth_element(times.begin(), times.begin() + kSteps / 2, times.end());
  return times[kSteps / 2];
}

/// What a step costs, of the family and of each member alone by the side of its labels.
Figures cost_of_steps(const recipe::TrainFamilyJob& job,
                      const graph::Model& joint,
                      const data::Dataset& dataset,
                      const Compute& compute) {
  LoadedBatch batch;
  batch.train_positions.resize(static_cast<size_t>(std::min(job.train.batch_size, dataset.size())));
  std::iota(batch.train_positions.begin(), batch.train_positions.end(), 0);
  dataset.read(batch.train_positions, batch.batch);
  const Precision precision = compute.bfloat16 ? Precision::Mixed : Precision::Single;
  const auto measure = [&](const graph::Model& model, const Objective& objective) {
    Network network(model, precision, compute.device());
    return step_ms(network, objective, batch, dataset.schema());
  };
  Figures figures;
  figures["step_ms"] = measure(joint, *make_family_objective(job, joint.graph));
  for (const recipe::FamilyMember& member : job.members) {
    const graph::Model model = take_member(joint, member.name);
    figures["step_ms." + member.name] = measure(model, *make_classification({}, model));
  }
  figures["cost_ratio"] = figures["step_ms"] / figures["step_ms." + job.members.front().name];
  return figures;
}

/// Writes each member's model.onnx and says what it can do.
Figures write_members(const JobContext& context,
                      const recipe::TrainFamilyJob& job,
                      const graph::Model& joint,
                      const data::Dataset& judged) {
  Figures figures;
  for (const recipe::FamilyMember& member : job.members) {
    graph::Model model = take_member(joint, member.name);
    model.metadata.name = member.model.name;
    model.metadata.lineage["stage"] = context.spec.name + "/" + member.name;
    const std::filesystem::path folder = context.folder / member.name;
    std::filesystem::create_directories(folder);
    graph::save_onnx(model, folder / "model.onnx");
    const graph::Cost cost = graph::cost(model);
    Network network(model);
    const Evaluation evaluation = evaluate(network, judged);
    figures["accuracy." + member.name] = evaluation.accuracy;
    figures["loss." + member.name] = evaluation.loss;
    figures["macs." + member.name] = static_cast<double>(cost.macs);
    figures["parameters." + member.name] = static_cast<double>(cost.parameters);
  }
  return figures;
}

void write_page(const JobContext& context,
                const recipe::TrainFamilyJob& job,
                const std::vector<EpochMetrics>& history,
                const Figures& figures) {
  std::vector<std::vector<std::string>> table;
  for (const recipe::FamilyMember& member : job.members) {
    const auto of = [&](const std::string& figure) {
      return figures.at(figure + "." + member.name);
    };
    table.push_back({member.name,
                     fmt::format("{:.2f} %", 100 * of("accuracy")),
                     fmt::format("{:.4f}", of("loss")),
                     fmt::format("{:.0f}", of("parameters")),
                     fmt::format("{:.0f}", of("macs")),
                     fmt::format("{:.2f}", of("step_ms"))});
  }
  const std::string& first = job.members.front().name;
  report::HtmlReport page("Training a family: " + context.spec.name);
  page.facts({{"a step of all", fmt::format("{:.2f} ms", figures.at("step_ms"))},
              {"over a step of '" + first + "' alone",
               fmt::format("{:.2f}", figures.at("cost_ratio"))}})
      .section("Members")
      .table({"member", "accuracy", "loss", "parameters", "MACs", "step alone, ms"}, table)
      .section("Learning curves: accuracy of '" + first + "', loss of all");
  for (const std::string& chart : report::learning_curves(metric_rows(history))) {
    page.svg(chart);
  }
  page.section("Job")
      .details("job.yaml", jobs::to_yaml(context.spec))
      .write(context.folder / "report.html");
}

void write_family(const JobContext& context,
                  const recipe::TrainFamilyJob& job,
                  const graph::Model& joint,
                  const data::Dataset& train_data,
                  const data::Dataset* validation,
                  const Compute& compute,
                  const std::vector<EpochMetrics>& history,
                  double seconds) {
  Figures figures =
      write_members(context, job, joint, validation != nullptr ? *validation : train_data);
  figures.merge(cost_of_steps(job, joint, train_data, compute));
  figures["epochs"] = static_cast<double>(history.size());
  figures["seconds"] = seconds;
  figures["macs"] = static_cast<double>(graph::cost(joint).macs);
  write_page(context, job, history, figures);
  context.write_summary(figures,
                        {{"accuracy_of", validation != nullptr ? "validation" : "training"},
                         {"dataset", joint.metadata.lineage.at("dataset")},
                         {"device", std::string(compute.device_name())},
                         {"precision", std::string(compute.precision_name())}});
}

}  // namespace

void run_train_family_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"train", "validation"});
  const auto job = context.options<recipe::TrainFamilyJob>();
  const data::Version version = data::describe_version(context.input("train"));
  recipe::check(job, version.schema);
  const Compute compute = choose_compute(job.train, this_machine());
  if (!compute.notice.empty()) {
    core::log_info(compute.notice);
  }
  const graph::Model initial = join_members(build_members(job, version, context.spec.seed));
  set_threads(job.train, graph::cost(initial).macs, nullptr);
  Network network(
      initial, compute.bfloat16 ? Precision::Mixed : Precision::Single, compute.device());
  const auto objective = make_family_objective(job, initial.graph);
  const auto strategies = make_strategies(context, job.train.strategies);

  const std::filesystem::path checkpoint_file = context.folder / "checkpoint.h5";
  const std::string key = jobs::stage_key(context.spec, "");
  const auto resume = find_checkpoint(checkpoint_file, key);
  TrainingTask task;
  task.name = context.spec.name;
  task.train = data::open_version(context.input("train"));
  if (context.has_input("validation")) {
    task.validation = data::open_version(context.input("validation"));
  }
  task.objective = objective.get();
  task.options = job.train;
  task.seed = context.spec.seed;
  task.on_progress = context.on_progress;
  task.checkpoint_name = checkpoint_file.string();
  for (const auto& strategy : strategies) {
    task.strategies.push_back(strategy.get());
  }
  report::MetricsLog log = open_log(context.folder / "metrics.jsonl",
                                    resume ? resume->state.history : std::vector<EpochMetrics>{});
  task.on_epoch = [&](const EpochMetrics& m) {
    log.write(m.epoch, to_row(m));
  };
  task.on_checkpoint = [&](const TrainingState& reached) {
    save_checkpoint(checkpoint_file, {key, network.to_model(), reached});
  };
  const auto history = train(network, task, resume ? &resume->state : nullptr);
  write_family(context,
               job,
               network.to_model(),
               *task.train,
               task.validation.get(),
               compute,
               history,
               watch.seconds());
}

}  // namespace coppice::train
