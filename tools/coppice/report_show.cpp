#include "coppice/report_show.h"

#include <set>

#include <fmt/format.h>

#include "coppice/report_runs.h"
#include "core/error.h"
#include "core/files.h"
#include "report/figure.h"
#include "report/html.h"
#include "report/learning_curves.h"

namespace coppice::tools {

namespace {

Run only_run(const std::string& folder) {
  FoundRuns found = find_runs({folder});
  if (found.runs.size() != 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("'{}' holds {} runs; name one of them, or compare them with "
                                  "'coppice report compare'",
                                  folder,
                                  found.runs.size()));
  }
  return std::move(found.runs.front());
}

std::vector<std::vector<std::string>> figure_rows(const Run& run) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : run.figures) {
    rows.push_back({name, report::format_figure(name, value)});
  }
  return rows;
}

std::vector<std::vector<std::string>> best_rows(const Run& run) {
  std::set<std::string> metrics;
  for (const auto& row : run.rows) {
    for (const auto& [name, value] : row.values) {
      const std::string prefix = "validation_";
      metrics.insert(name.starts_with(prefix) ? name.substr(prefix.size()) : name);
    }
  }
  std::erase_if(metrics, [](const std::string& name) { return name.ends_with("seconds"); });
  metrics.erase("learning_rate");
  std::vector<std::vector<std::string>> rows;
  for (const std::string& metric : metrics) {
    if (const auto best = report::best_epoch(run.rows, metric)) {
      rows.push_back(
          {best->metric, report::format_figure(metric, best->value), std::to_string(best->epoch)});
    }
  }
  return rows;
}

}  // namespace

std::string show_run(const std::string& folder) {
  const Run run = only_run(folder);
  std::string text = fmt::format(
      "{}: {}{}\n\n", run.folder.string(), run.kind, run.seed.empty() ? "" : ", seed " + run.seed);
  text += report::text_table({"figure", "value"}, figure_rows(run));
  if (const auto best = best_rows(run); !best.empty()) {
    text += "\n" + report::text_table({"best of", "value", "epoch"}, best);
  }
  return text;
}

void write_run_page(const std::string& folder, const std::filesystem::path& file) {
  const Run run = only_run(folder);
  report::HtmlReport page("Run: " + run.folder.filename().string());
  page.facts({{"kind", run.kind}, {"seed", run.seed.empty() ? "–" : run.seed}});
  if (!run.rows.empty()) {
    page.section("Learning curves");
    for (const std::string& chart :
         report::learning_curves(run.rows, run.kind == "loop" ? "day" : "epoch")) {
      page.svg(chart);
    }
    page.table({"best of", "value", "epoch"}, best_rows(run));
  }
  page.section("Figures").table({"figure", "value"}, figure_rows(run));
  std::string config;
  for (const auto& [field, value] : run.config) {
    config += field + ": " + value + "\n";
  }
  page.section("Configuration").details("every field", config);
  page.write(file);
}

}  // namespace coppice::tools
