#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "compress/sensitivity.h"
#include "core/clock.h"
#include "data/store.h"
#include "graph/onnx.h"
#include "report/chart.h"
#include "report/html.h"
#include "runtime/engine.h"
#include "train/check_model.h"
#include "train/components.h"
#include "train/engine_predictions.h"
#include "train/job_kinds/rewrite_job.h"
#include "train/objective.h"

namespace coppice::train {

namespace {

/// `count` samples of a data set, evenly spaced.
data::DatasetPtr some_of(data::DatasetPtr dataset, int64_t count) {
  const int64_t all = dataset->size();
  if (all <= count) {
    return dataset;
  }
  std::vector<int64_t> chosen(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    chosen[static_cast<size_t>(i)] = i * all / count;
  }
  return data::make_subset(std::move(dataset), std::move(chosen));
}

/// The main figure of the model's task as a device engine computes it, so that higher is better.
double score_on_engine(graph::Model model,
                       const data::Dataset& dataset,
                       const compress::SensitivityOptions& options) {
  const std::string task = model.metadata.task;
  JudgeOptions judging{.task = task};
  std::string target;
  if (task != "classification") {
    judging.loss = "mse";
  }
  if (task == "reconstruction") {
    target = expose_target(model);
  }
  const auto engine = runtime::build_engine(
      model,
      {.backend = options.backend, .threads = options.threads, .max_batch = options.batch_size});
  const double figure =
      quick_figures(predict(*engine, dataset, options.batch_size, judging, target))
          .at(std::string(main_metric(task)));
  return task == "classification" ? figure : -figure;
}

std::string score_chart(const compress::Sensitivity& scan, const std::string& metric) {
  std::vector<report::Series> series;
  for (const compress::SensitivityRow& row : scan.rows) {
    if (series.empty() || series.back().name != row.group) {
      series.push_back({.name = row.group, .x = {0}, .y = {scan.score}});
    }
    series.back().x.push_back(100 * row.share);
    series.back().y.push_back(row.score);
  }
  return report::line_chart(series,
                            {.title = "One group cut, the others whole, without recovery",
                             .x_label = "channels cut, %",
                             .y_label = metric,
                             .markers = {},
                             .bands = {}});
}

void write_page(const JobContext& context,
                const compress::Sensitivity& scan,
                const std::string& metric,
                double tolerance) {
  std::vector<std::vector<std::string>> caps;
  for (const auto& [group, share] : compress::bearable_shares(scan, tolerance)) {
    caps.push_back({group, fmt::format("{:g} %", 100 * share)});
  }
  std::vector<std::vector<std::string>> rows;
  for (const compress::SensitivityRow& row : scan.rows) {
    rows.push_back({row.group,
                    fmt::format("{:g} %", 100 * row.share),
                    fmt::format("{} of {}", row.after, row.before),
                    fmt::format("{:.4f}", row.score),
                    fmt::format("{:+.4f}", row.score - scan.score),
                    fmt::format("{:.1f} %", 100 * row.macs_ratio)});
  }
  report::HtmlReport page("Sensitivity: " + context.spec.name);
  page.facts({{metric + ", whole", fmt::format("{:.4f}", scan.score)},
              {"groups", std::to_string(caps.size())}})
      .section(metric + " against the share of each group that is cut")
      .svg(score_chart(scan, metric))
      .section(fmt::format("Largest share that costs at most {:g}", tolerance))
      .table({"group", "share"}, caps)
      .section("Every cut")
      .table({"group", "cut", "channels left", metric, "change", "MACs left"}, rows)
      .write(context.folder / "report.html");
}

}  // namespace

void run_sensitivity_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model", "data", "train"});
  const auto options = context.options<compress::SensitivityOptions>();
  const graph::Model model = graph::load_onnx(context.input("model"));
  const auto dataset = some_of(data::open_version(context.input("data")), options.samples);
  check_model_fits(model, dataset->schema(), "model");
  const auto statistics = statistics_for(context, model, options.criterion, options.importance);
  const auto groups = compress::groups_to_scan(model, options.nodes);
  const auto cuts =
      std::count_if(
          groups.begin(), groups.end(), [](const auto& group) { return group.prunable; }) *
      std::ssize(options.shares);
  int64_t done = 0;
  const auto evaluate = [&](const graph::Model& cut) {
    const double score = score_on_engine(cut, *dataset, options);
    if (context.on_progress) {
      context.on_progress(
          {.phase = "scan", .done = done++, .total = cuts, .unit = "cuts", .note = ""});
    }
    return score;
  };
  const compress::Sensitivity scan = compress::sensitivity(model,
                                                           groups,
                                                           options.shares,
                                                           evaluate,
                                                           options.criterion,
                                                           statistics ? &*statistics : nullptr);
  const std::string task = model.metadata.task;
  const std::string metric =
      (task == "classification" ? "" : "negative ") + std::string(main_metric(task));
  write_page(context, scan, metric, options.tolerance);
  std::map<std::string, double> figures{{"score", scan.score}};
  for (const compress::SensitivityRow& row : scan.rows) {
    figures[fmt::format("score.{}.{:g}", row.group, row.share)] = row.score;
    figures[fmt::format("macs_ratio.{}.{:g}", row.group, row.share)] = row.macs_ratio;
  }
  for (const auto& [group, share] : compress::bearable_shares(scan, options.tolerance)) {
    figures["bearable_share." + group] = share;
  }
  figures["samples"] = static_cast<double>(dataset->size());
  figures["seconds"] = watch.seconds();
  context.write_summary(figures, {{"criterion", options.criterion}, {"metric", metric}});
}

}  // namespace coppice::train
