#include <cmath>

#include <fmt/format.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/error.h"
#include "data/store.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/metrics_log.h"
#include "runtime/engine.h"
#include "train/check_model.h"
#include "train/components.h"
#include "train/evaluate_options.h"
#include "train/sample_tensor.h"

namespace coppice::train {

namespace {

struct Outcome {
  double loss = 0;
  int64_t labelled = 0;
  int64_t correct = 0;
  std::vector<std::vector<double>> confusion;  ///< [truth][prediction]
};

Outcome judge(const graph::Tensor& logits, const data::Dataset& dataset) {
  const size_t classes = dataset.schema().class_names.size();
  const std::vector<int64_t> predictions = runtime::argmax_rows(logits);
  const graph::Tensor probabilities = runtime::softmax_rows(logits);
  const auto p = std::as_const(probabilities).data<float>();
  Outcome outcome{.confusion = {classes, std::vector<double>(classes, 0)}};
  for (size_t i = 0; i < predictions.size(); ++i) {
    const int64_t label = dataset.label(static_cast<int64_t>(i));
    if (label < 0) {
      continue;
    }
    const auto truth = static_cast<size_t>(label);
    ++outcome.labelled;
    outcome.correct += predictions[i] == label ? 1 : 0;
    outcome.confusion[truth][static_cast<size_t>(predictions[i])] += 1;
    outcome.loss -= std::log(std::max(1e-30, static_cast<double>(p[i * classes + truth])));
  }
  if (outcome.labelled == 0) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "the data set to evaluate on has no labels");
  }
  outcome.loss /= static_cast<double>(outcome.labelled);
  return outcome;
}

}  // namespace

void run_evaluate_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model", "data"});
  const auto options =
      core::read_options<EvaluateOptions>(core::parse_config_text(context.spec.options, "options"));
  const graph::Model model = graph::load_onnx(context.input("model"));
  const auto dataset = data::open_version(context.input("data"));
  check_model_fits(model, dataset->schema(), "model");
  const auto engine = runtime::build_engine(
      model,
      {.backend = options.backend, .threads = options.threads, .max_batch = options.batch_size});
  const graph::Tensor logits =
      runtime::run_all(*engine, first_samples(*dataset, dataset->size()), options.batch_size);
  const Outcome outcome = judge(logits, *dataset);

  const auto& names = dataset->schema().class_names;
  std::map<std::string, double> figures{
      {"accuracy", static_cast<double>(outcome.correct) / static_cast<double>(outcome.labelled)},
      {"loss", outcome.loss},
      {"samples", static_cast<double>(outcome.labelled)},
      {"macs", static_cast<double>(graph::cost(model).macs)},
      {"weight_bytes", static_cast<double>(graph::cost(model).weight_bytes)}};
  for (size_t c = 0; c < names.size(); ++c) {
    double total = 0;
    for (const double count : outcome.confusion[c]) {
      total += count;
    }
    if (total > 0) {
      figures["recall." + names[c]] = outcome.confusion[c][c] / total;
    }
  }
  figures["seconds"] = watch.seconds();
  report::HtmlReport page("Evaluation: " + context.spec.name);
  page.facts({{"accuracy", fmt::format("{:.2f} %", 100 * figures["accuracy"])},
              {"samples", std::to_string(outcome.labelled)},
              {"backend", std::string(engine->backend())}})
      .section("Confusion")
      .svg(report::confusion_chart(outcome.confusion, names, "confusion"))
      .write(context.folder / "report.html");
  report::write_summary(context.folder / "summary.json",
                        figures,
                        {{"kind", context.spec.kind},
                         {"name", context.spec.name},
                         {"backend", std::string(engine->backend())}});
}

}  // namespace coppice::train
