#include <functional>
#include <map>

#include "core/clock.h"
#include "data/store.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "report/metrics_log.h"
#include "runtime/engine.h"
#include "train/check_model.h"
#include "train/components.h"
#include "train/engine_predictions.h"
#include "train/evaluate_options.h"
#include "train/judgement_page.h"
#include "train/objective.h"

namespace coppice::train {

namespace {

JudgeOptions judge_options(const EvaluateOptions& options, const std::string& task) {
  JudgeOptions result{.task = task, .loss = options.loss, .huber_delta = options.huber_delta};
  if (result.loss == "auto") {
    result.loss = task == "classification" ? "cross_entropy" : "mse";
  }
  return result;
}

using Reader = std::function<Predictions(const data::Dataset&)>;

/// Of reconstruction: how to tell anomalies.
AnomalyOptions anomaly_options(const JobContext& context,
                               const EvaluateOptions& options,
                               const Reader& read,
                               const graph::Model& model) {
  AnomalyOptions anomaly{.threshold = model.metadata.anomaly_threshold,
                         .normal_classes = options.normal_classes};
  if (options.threshold > 0) {
    anomaly.threshold = options.threshold;
  }
  if (context.has_input("validation")) {
    const auto validation = data::open_version(context.input("validation"));
    const Judgement judged = judge(read(*validation), anomaly);
    anomaly.threshold = monitor::quantile(judged.normal_errors, options.anomaly_quantile);
  }
  return anomaly;
}

}  // namespace

void run_evaluate_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model", "data", "validation"});
  const auto options = context.options<EvaluateOptions>();
  graph::Model model = graph::load_onnx(context.input("model"));
  const auto dataset = data::open_version(context.input("data"));
  check_model_fits(model, dataset->schema(), "model");
  const JudgeOptions judging = judge_options(options, model.metadata.task);
  std::string target;
  if (judging.task == "reconstruction") {
    target = expose_target(model);
  }
  const auto engine = runtime::build_engine(
      model,
      {.backend = options.backend, .threads = options.threads, .max_batch = options.batch_size});
  const Reader read = [&](const data::Dataset& samples) {
    return predict(*engine, samples, options.batch_size, judging, target);
  };
  AnomalyOptions anomaly;
  if (!target.empty()) {
    anomaly = anomaly_options(context, options, read, model);
  }
  const Judgement judgement = judge(read(*dataset), anomaly);

  report::HtmlReport page("Evaluation: " + context.spec.name);
  auto facts = judgement_facts(judgement);
  facts.emplace_back("samples", std::to_string(judgement.samples));
  facts.emplace_back("backend", std::string(engine->backend()));
  page.facts(facts);
  add_judgement(page, judgement, "evaluation data");
  page.write(context.folder / "report.html");

  std::map<std::string, double> figures = judgement.figures;
  std::filesystem::remove(context.folder / "metrics.jsonl");
  report::MetricsLog(context.folder / "metrics.jsonl").write(0, figures);
  figures["samples"] = static_cast<double>(judgement.samples);
  figures["macs"] = static_cast<double>(graph::cost(model).macs);
  figures["weight_bytes"] = static_cast<double>(graph::cost(model).weight_bytes);
  figures["seconds"] = watch.seconds();
  context.write_summary(figures,
                        {{"task", judging.task}, {"backend", std::string(engine->backend())}});
}

}  // namespace coppice::train
