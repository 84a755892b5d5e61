#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "coppice/report_render.h"
#include "report/chart.h"
#include "report/figure.h"
#include "report/html.h"
#include "report/learning_curves.h"

namespace coppice::tools {

namespace {

constexpr size_t kMostCurves = 8;  // as many colours as can be told apart
constexpr const char* kValidation = "validation_";

report::Series curve_of(const Run& run, const std::string& name, double scale) {
  report::Series series;
  for (const auto& row : run.rows) {
    if (const auto found = row.values.find(name); found != row.values.end()) {
      series.x.push_back(static_cast<double>(row.step));
      series.y.push_back(scale * found->second);
    }
  }
  return series;
}

/// Over the steps that every run has.
report::Series mean_curve(const std::vector<report::Series>& curves) {
  std::map<double, std::pair<double, size_t>> sums;
  for (const auto& curve : curves) {
    for (size_t i = 0; i < curve.x.size(); ++i) {
      auto& [sum, count] = sums[curve.x[i]];
      sum += curve.y[i];
      ++count;
    }
  }
  report::Series mean;
  for (const auto& [x, sum] : sums) {
    if (sum.second == curves.size()) {
      mean.x.push_back(x);
      mean.y.push_back(sum.first / static_cast<double>(curves.size()));
    }
  }
  return mean;
}

/// Positions of the groups that are drawn: the best by the first metric, in their own order.
std::vector<size_t> drawn_groups(const Comparison& comparison) {
  std::vector<size_t> order(comparison.groups.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (order.size() > kMostCurves && !comparison.metrics.empty()) {
    const std::string& metric = comparison.metrics.front();
    const double sign = report::higher_is_better(metric) ? -1 : 1;
    const auto rank = [&](size_t g) {
      const Spread spread = comparison.spread(g, metric);
      return spread.count == 0 ? std::numeric_limits<double>::infinity() : sign * spread.mean;
    };
    std::stable_sort(
        order.begin(), order.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
    order.resize(kMostCurves);
    std::sort(order.begin(), order.end());
  }
  return order;
}

std::string legend_name(const RunGroup& group) {
  return group.label.empty() ? group.letter : group.letter + ": " + group.label;
}

/// "" where no run has such a curve.
std::string curves_chart(const Comparison& comparison, const std::string& name) {
  const bool share = report::is_share(name);
  std::vector<report::Series> series;
  std::vector<report::Series> means;
  const auto groups = drawn_groups(comparison);
  for (size_t i = 0; i < groups.size(); ++i) {
    const RunGroup& group = comparison.groups[groups[i]];
    std::vector<report::Series> curves;
    for (const size_t r : group.runs) {
      auto curve = curve_of(comparison.runs[r], name, share ? 100 : 1);
      if (!curve.x.empty()) {
        curve.name = group.letter;
        curve.colour = static_cast<int64_t>(i);
        curve.faint = true;
        curves.push_back(std::move(curve));
      }
    }
    if (curves.empty()) {
      continue;
    }
    auto mean = mean_curve(curves);
    mean.name = legend_name(group);
    mean.colour = static_cast<int64_t>(i);
    means.push_back(std::move(mean));
    if (curves.size() > 1) {
      series.insert(series.end(), curves.begin(), curves.end());
    }
  }
  if (means.empty()) {
    return "";
  }
  series.insert(series.end(), means.begin(), means.end());  // over the single runs
  report::ChartOptions options;
  options.title = name;
  std::replace(options.title.begin(), options.title.end(), '_', ' ');
  options.x_label = comparison.runs.front().kind == "loop" ? "day" : "epoch";
  options.y_label = share ? options.title + ", %" : options.title;
  options.height = 360;
  return report::line_chart(series, options);
}

void add_curves(report::HtmlReport& page, const Comparison& comparison) {
  std::vector<std::string> names{"loss", std::string(kValidation) + "loss"};
  for (const std::string& metric : comparison.metrics) {
    if (metric != "loss") {
      names.push_back(kValidation + metric);
      names.push_back(metric);
    }
  }
  std::vector<std::string> charts;
  for (const std::string& name : names) {
    if (std::string chart = curves_chart(comparison, name); !chart.empty()) {
      charts.push_back(std::move(chart));
    }
  }
  if (charts.empty()) {
    return;
  }
  page.section("Curves").text(
      fmt::format("Bold: the mean over a configuration's runs; pale: each run.{}",
                  comparison.groups.size() > kMostCurves
                      ? fmt::format(" Drawn are the {} best of {} configurations.",
                                    kMostCurves,
                                    comparison.groups.size())
                      : ""));
  for (const std::string& chart : charts) {
    page.svg(chart);
  }
}

void add_runs(report::HtmlReport& page, const Comparison& comparison) {
  std::vector<std::string> header{"run", "configuration", "seed"};
  for (const std::string& metric : comparison.metrics) {
    header.push_back(metric);
    header.push_back("best epoch by " + metric);
  }
  std::vector<std::vector<std::string>> rows;
  for (const RunGroup& group : comparison.groups) {
    for (const size_t r : group.runs) {
      const Run& run = comparison.runs[r];
      std::vector<std::string> row{run.folder.string(), group.letter, run.seed};
      for (const std::string& metric : comparison.metrics) {
        const auto found = run.figures.find(metric);
        row.push_back(found == run.figures.end() ? "–"
                                                 : report::format_figure(metric, found->second));
        const auto best = report::best_epoch(run.rows, metric);
        row.push_back(best ? std::to_string(best->epoch) : "–");
      }
      rows.push_back(std::move(row));
    }
  }
  page.section("Runs").table(header, rows);
}

}  // namespace

void write_comparison_page(const Comparison& comparison, const std::filesystem::path& file) {
  report::HtmlReport page("Comparison of runs");
  std::vector<std::pair<std::string, std::string>> facts{
      {"runs", std::to_string(comparison.runs.size())},
      {"configurations", std::to_string(comparison.groups.size())}};
  page.facts(facts);
  for (const std::string& remark : comparison.remarks) {
    page.text("Remark: " + remark + ".");
  }
  const auto add = [&](const ReportTable& table) {
    page.table(table.header, table.rows);
  };
  page.section("Configurations").text("Fields that differ; the seed is left out.");
  add(configuration_table(comparison));
  page.section("Final figures").text("Mean ± standard deviation over the runs of a configuration.");
  add(figure_table(comparison));
  if (comparison.groups.size() > 1) {
    for (const std::string& metric : comparison.metrics) {
      page.section("Paired tests: " + metric);
      add(pair_table(comparison, metric));
      page.text(pair_remark(comparison, metric));
    }
  }
  add_curves(page, comparison);
  add_runs(page, comparison);
  page.write(file);
}

}  // namespace coppice::tools
