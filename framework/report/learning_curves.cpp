#include "report/learning_curves.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "report/chart.h"
#include "report/figure.h"

namespace coppice::report {

namespace {

constexpr std::string_view kValidation = "validation_";

Series curve_of(const std::vector<MetricsRow>& rows,
                const std::string& name,
                std::string label,
                bool dashed) {
  Series series{std::move(label), {}, {}, dashed};
  for (const MetricsRow& row : rows) {
    if (const auto found = row.values.find(name); found != row.values.end()) {
      series.x.push_back(static_cast<double>(row.step));
      series.y.push_back(found->second);
    }
  }
  return series;
}

/// Loss first, then by name; without the prefix of the validation data.
std::vector<std::string> metrics_of(const std::vector<MetricsRow>& rows) {
  std::set<std::string> names;
  for (const MetricsRow& row : rows) {
    for (const auto& [name, value] : row.values) {
      std::string metric = name.starts_with(kValidation) ? name.substr(kValidation.size()) : name;
      const bool other = metric.ends_with("seconds") || metric == "learning_rate" ||
                         metric == "loss" || metric == "samples_per_second" ||
                         metric.find('.') != std::string::npos;
      if (!other) {
        names.insert(std::move(metric));
      }
    }
  }
  std::vector<std::string> ordered{"loss"};
  ordered.insert(ordered.end(), names.begin(), names.end());
  return ordered;
}

std::string metric_chart(const std::vector<MetricsRow>& rows,
                         const std::string& metric,
                         const std::string& x_label) {
  std::vector<Series> series;
  for (const auto& [name, label, dashed] :
       {std::tuple(metric, "training", true),
        std::tuple(std::string(kValidation) + metric, "validation", false)}) {
    Series one = curve_of(rows, name, label, dashed);
    one.colour = dashed ? 1 : 0;
    if (is_share(metric)) {
      for (double& value : one.y) {
        value *= 100;
      }
    }
    if (!one.x.empty()) {
      series.push_back(std::move(one));
    }
  }
  ChartOptions options;
  options.title = metric;
  options.x_label = x_label;
  options.y_label = is_share(metric) ? metric + ", %" : metric;
  options.height = 300;
  if (const auto best = best_epoch(rows, metric)) {
    options.markers = {{static_cast<double>(best->epoch),
                        fmt::format("best {}: {} ({} {})",
                                    best->metric == metric ? "training" : "validation",
                                    format_figure(metric, best->value),
                                    x_label,
                                    best->epoch)}};
  }
  return line_chart(series, options);
}

}  // namespace

std::optional<BestEpoch> best_epoch(const std::vector<MetricsRow>& rows,
                                    const std::string& metric) {
  for (const std::string& name : {std::string(kValidation) + metric, metric}) {
    std::optional<BestEpoch> best;
    for (const MetricsRow& row : rows) {
      const auto found = row.values.find(name);
      if (found == row.values.end() || !std::isfinite(found->second)) {
        continue;
      }
      const bool better = best && (higher_is_better(metric) ? found->second > best->value
                                                            : found->second < best->value);
      if (!best || better) {
        best = BestEpoch{name, row.step, found->second};
      }
    }
    if (best) {
      return best;
    }
  }
  return std::nullopt;
}

std::vector<std::string> learning_curves(const std::vector<MetricsRow>& rows,
                                         const std::string& x_label) {
  std::vector<std::string> charts;
  for (const std::string& metric : metrics_of(rows)) {
    charts.push_back(metric_chart(rows, metric, x_label));
  }
  const Series rate = curve_of(rows, "learning_rate", "learning rate", false);
  if (!rate.x.empty()) {
    ChartOptions options;
    options.title = "learning rate";
    options.x_label = x_label;
    options.y_label = "learning rate";
    options.y_from_zero = true;
    options.height = 240;
    charts.push_back(line_chart({rate}, options));
  }
  return charts;
}

}  // namespace coppice::report
