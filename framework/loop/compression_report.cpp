#include "loop/compression_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/files.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/metrics_log.h"

namespace coppice::loop {

namespace {

using Rows = std::vector<std::vector<std::string>>;

/// Left out of the table where no row has it.
struct StageColumn {
  std::string header;
  std::string figure;  ///< of figures_of(), without the row
  std::string (*format)(double);
};

std::string as_percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

std::string as_count(double value) {
  return fmt::format("{:.0f}", value);
}

std::string as_times(double value) {
  return fmt::format("{:.2f}", value);
}

const std::vector<StageColumn>& stage_columns() {
  static const std::vector<StageColumn> kColumns{{"accuracy", "accuracy", as_percent},
                                                 {"errors", "errors", as_count},
                                                 {"points lost", "points_lost", as_times},
                                                 {"from scratch", "control_accuracy", as_percent},
                                                 {"epochs", "epochs", as_count},
                                                 {"kMACs",
                                                  "macs",
                                                  [](double v) {
                                                    return fmt::format("{:.1f}", v / 1e3);
                                                  }},
                                                 {"fewer", "macs_reduction", as_times},
                                                 {"parameters", "parameters", as_count},
                                                 {"bytes", "bytes", as_count},
                                                 {"smaller", "bytes_reduction", as_times},
                                                 {"transfer", "transfer_bytes", as_count},
                                                 {"µs",
                                                  "latency_us",
                                                  [](double v) {
                                                    return fmt::format("{:.1f}", v);
                                                  }},
                                                 {"faster", "speedup", as_times},
                                                 {"over eager", "speedup_over_eager", as_times},
                                                 {"disagree", "disagreements", as_count}};
  return kColumns;
}

std::vector<const CompressionRow*> all_rows(const CompressionResult& result) {
  std::vector<const CompressionRow*> rows;
  for (const auto* some : {&result.rows, &result.controls}) {
    for (const CompressionRow& row : *some) {
      rows.push_back(&row);
    }
  }
  return rows;
}

struct StageTable {
  std::vector<std::string> header{"stage", "from"};
  Rows rows;
};

StageTable table_of(const CompressionResult& result) {
  const auto figures = figures_of(result);
  StageTable table;
  const auto rows = all_rows(result);
  for (const CompressionRow* row : rows) {
    table.rows.push_back({row->name, row->from.empty() ? "–" : row->from});
  }
  for (const StageColumn& column : stage_columns()) {
    std::vector<std::string> cells;
    bool any = false;
    for (const CompressionRow* row : rows) {
      const auto it = figures.find(fmt::format("{}.{}", column.figure, row->name));
      any = any || it != figures.end();
      cells.push_back(it == figures.end() ? "–" : column.format(it->second));
    }
    if (any) {
      table.header.push_back(column.header);
      for (size_t i = 0; i < cells.size(); ++i) {
        table.rows[i].push_back(cells[i]);
      }
    }
  }
  return table;
}

constexpr double kShownPoints = 10;  // below the frontier, in points of per cent

/// What was cut and not trained since would squeeze all others into a line.
double least_shown(const CompressionResult& result) {
  double least = 1;
  for (const char* cost : {"latency_us", "bytes"}) {
    for (const size_t i : frontier(result.rows, cost)) {
      const CompressionRow& row = result.rows[i];
      const bool cut = row.kind != kModelStage && stage_kind(row.kind).reshapes;
      least = cut ? least : std::min(least, row.figures.at("accuracy"));
    }
  }
  return least - kShownPoints / 100;
}

/// Points by what they are, and the frontier among them as a line of its own.
std::string trade_off(const CompressionResult& result,
                      const std::string& cost,
                      double unit,
                      const std::string& title,
                      const std::string& x_label) {
  std::vector<report::Series> series{
      {"float", {}, {}}, {"int8", {}, {}}, {"trained from scratch", {}, {}}, {"frontier", {}, {}}};
  const double least = least_shown(result);
  const auto add = [&](report::Series& to, const CompressionRow& row) {
    if (row.figures.at("accuracy") < least) {
      return;
    }
    to.x.push_back(row.figures.at(cost) / unit);
    to.y.push_back(100 * row.figures.at("accuracy"));
  };
  for (const CompressionRow& row : result.rows) {
    add(series[row.int8 ? 1 : 0], row);
  }
  for (const CompressionRow& row : result.controls) {
    add(series[2], row);
  }
  for (const size_t i : frontier(result.rows, cost)) {
    const size_t before = series[3].x.size();
    add(series[3], result.rows[i]);
    if (series[3].x.size() > before) {
      series[3].labels.push_back(result.rows[i].name);
    }
  }
  series[3].joined = true;
  std::erase_if(series, [](const report::Series& one) { return one.x.empty(); });
  report::ChartOptions options;
  options.title = title;
  options.x_label = x_label;
  options.x_log = true;
  options.y_label = "accuracy, %";
  return report::scatter_chart(series, options);
}

/// Whether the row's job wrote metrics of epochs; a family's are told once, with its first member.
bool has_curve(const std::vector<const CompressionRow*>& rows, size_t i) {
  const CompressionRow& row = *rows[i];
  const bool trained = row.kind == "train" || row.kind == "train_family";
  const bool told = i > 0 && rows[i - 1]->folder == row.folder;
  return trained && !told && std::filesystem::exists(row.folder / "metrics.jsonl");
}

/// One line per stage that trained, of a metric of its log.
std::string curves_of(const CompressionResult& result,
                      const std::string& metric,
                      double factor,
                      report::ChartOptions chart) {
  std::vector<report::Series> curves;
  const auto rows = all_rows(result);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!has_curve(rows, i)) {
      continue;
    }
    const CompressionRow& row = *rows[i];
    report::Series curve{row.kind == "train_family" ? "family of " + row.name : row.name, {}, {}};
    for (const auto& epoch : report::read_metrics(row.folder / "metrics.jsonl")) {
      if (const auto it = epoch.values.find(metric); it != epoch.values.end()) {
        curve.x.push_back(static_cast<double>(epoch.step));
        curve.y.push_back(factor * it->second);
      }
    }
    if (!curve.x.empty()) {
      curves.push_back(std::move(curve));
    }
  }
  chart.x_label = "epoch";
  return report::line_chart(curves, chart);
}

std::vector<std::pair<std::string, std::string>> facts_of(const CompressionResult& result) {
  const CompressionRow& last = result.rows.back();
  const auto figures = figures_of(result);
  std::vector<std::pair<std::string, std::string>> facts{
      {"accuracy of the last stage", as_percent(figures.at("accuracy"))},
      {"points lost", as_times(figures.at("points_lost"))},
      {"fewer MACs", as_times(figures.at("macs_reduction")) + "x"},
      {"smaller file", as_times(figures.at("bytes_reduction")) + "x"},
      {"faster", as_times(figures.at("speedup")) + "x"},
      {"latency, batch 1", fmt::format("{:.1f} µs", last.figures.at("latency_us"))}};
  if (result.eager_us > 0) {
    facts.emplace_back("faster than eager libtorch",
                       as_times(figures.at("speedup_over_eager")) + "x");
  }
  return facts;
}

}  // namespace

std::string stage_table(const CompressionResult& result) {
  const StageTable table = table_of(result);
  return report::text_table(table.header, table.rows);
}

void write_report(const CompressionResult& result,
                  const std::string& title,
                  const std::string& config,
                  const std::filesystem::path& file) {
  report::HtmlReport page(title);
  page.facts(facts_of(result));
  const StageTable table = table_of(result);
  page.section("Stages")
      .text(fmt::format("Accuracy is on the test samples, as the device engine computes it. Points "
                        "lost, fewer, smaller and faster: against {}. From scratch: the pruned "
                        "shape in float, trained anew for as many epochs as its whole chain. "
                        "Latency: batch 1, the least of the rounds' medians.",
                        result.baseline))
      .table(table.header, table.rows);
  page.section("What accuracy costs")
      .svg(trade_off(
          result, "latency_us", 1, "Accuracy against latency", "µs, batch 1, device engine"))
      .svg(trade_off(result, "bytes", 1e3, "Accuracy against size", "KB of the artefact"));
  const auto rows = all_rows(result);
  const double least = least_shown(result);
  const auto hidden = std::count_if(rows.begin(), rows.end(), [&](const CompressionRow* row) {
    return row->figures.at("accuracy") < least;
  });
  if (hidden > 0) {
    page.text(fmt::format("{} more than {} points below the frontier: not drawn.",
                          hidden == 1 ? "One model is" : fmt::format("{} models are", hidden),
                          kShownPoints));
  }
  report::ChartOptions loss;
  loss.title = "Training loss";
  loss.y_label = "loss";
  report::ChartOptions accuracy;
  accuracy.title = "Accuracy on the held-out samples";
  accuracy.y_label = "accuracy, %";
  page.section("Learning curves")
      .svg(curves_of(result, "loss", 1, loss))
      .svg(curves_of(result, "validation_accuracy", 100, accuracy));
  Rows times;
  for (const StageTime& stage : result.times) {
    times.push_back(
        {stage.name, stage.cached ? "found finished" : fmt::format("{:.1f} s", stage.seconds)});
  }
  page.section("Times").table({"stage", "time"}, times);
  page.details("Configuration, every default spelled out", config);
  page.write(file);
}

void write_results(const CompressionResult& result, const std::filesystem::path& folder) {
  std::map<std::string, std::string> notes{{"baseline", result.baseline}};
  const auto rows = all_rows(result);
  for (size_t i = 0; i < result.rows.size(); ++i) {
    if (has_curve(rows, i)) {
      core::write_file(folder / "metrics.jsonl",
                       core::read_text(rows[i]->folder / "metrics.jsonl"));
      notes["metrics"] = rows[i]->name;
    }
  }
  report::write_summary(
      folder / "summary.json", figures_of(result), notes, seconds_by_stage(result.times));
}

}  // namespace coppice::loop
