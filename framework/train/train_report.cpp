#include "train/train_report.h"

#include <cmath>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "report/chart.h"
#include "report/html.h"

namespace coppice::train {

namespace {

report::Series curve(std::string name,
                     const std::vector<EpochMetrics>& history,
                     double EpochMetrics::*value,
                     bool dashed) {
  report::Series series{.name = std::move(name), .x = {}, .y = {}, .dashed = dashed};
  for (const EpochMetrics& m : history) {
    series.x.push_back(static_cast<double>(m.epoch));
    series.y.push_back(m.*value);
  }
  return series;
}

std::string pair_chart(const std::string& title,
                       const std::vector<EpochMetrics>& history,
                       double EpochMetrics::*train,
                       double EpochMetrics::*validation) {
  std::vector<report::Series> series{curve("training", history, train, true)};
  if (!std::isnan(history.back().*validation)) {
    series.push_back(curve("validation", history, validation, false));
  }
  report::ChartOptions options;
  options.title = title;
  options.x_label = "epoch";
  options.y_label = title;
  return report::line_chart(series, options);
}

}  // namespace

void write_train_report(const std::filesystem::path& file,
                        const jobs::JobSpec& spec,
                        const graph::Model& model,
                        const std::vector<EpochMetrics>& history,
                        const std::map<std::string, double>& figures) {
  report::ChartOptions rate;
  rate.title = "learning rate";
  rate.x_label = "epoch";
  rate.y_label = "learning rate";
  rate.y_from_zero = true;
  report::HtmlReport page("Training: " + spec.name);
  const bool judged = figures.contains("accuracy");
  page.facts({{"accuracy", judged ? fmt::format("{:.2f} %", 100 * figures.at("accuracy")) : "none"},
              {"loss", fmt::format("{:.4f}", figures.at("loss"))},
              {"parameters", fmt::format("{:.0f}", figures.at("parameters"))},
              {"MACs", fmt::format("{:.0f}", figures.at("macs"))},
              {"seconds", fmt::format("{:.1f}", figures.at("seconds"))}})
      .section("Learning curves")
      .svg(pair_chart(
          "accuracy", history, &EpochMetrics::accuracy, &EpochMetrics::validation_accuracy))
      .svg(pair_chart("loss", history, &EpochMetrics::loss, &EpochMetrics::validation_loss))
      .svg(report::line_chart({curve("rate", history, &EpochMetrics::learning_rate, false)}, rate))
      .section("Network")
      .details("layers", graph::summary(model))
      .section("Job")
      .details("job.yaml", jobs::to_yaml(spec))
      .write(file);
}

}  // namespace coppice::train
