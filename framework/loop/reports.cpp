#include "loop/reports.h"

#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "report/chart.h"
#include "report/html.h"
#include "report/metrics_log.h"

namespace coppice::loop {

namespace {

std::string percent(double share) {
  return std::isfinite(share) ? fmt::format("{:.1f} %", 100 * share) : "–";
}

std::vector<report::Band> phase_bands(const std::vector<DayRow>& days) {
  std::vector<report::Band> bands;
  for (const DayRow& row : days) {
    const auto day = static_cast<double>(row.day);
    if (!bands.empty() && bands.back().label == row.phase) {
      bands.back().to = day + 0.5;
    } else {
      bands.push_back({day - 0.5, day + 0.5, row.phase});
    }
  }
  return bands;
}

std::vector<report::Marker> release_markers(const std::vector<DayRow>& days) {
  std::vector<report::Marker> markers;
  uint64_t last = days.empty() ? 0 : days.front().release;
  for (const DayRow& row : days) {
    if (row.release != last) {
      markers.push_back({static_cast<double>(row.day), fmt::format("release {}", row.release)});
      last = row.release;
    }
  }
  return markers;
}

template <class Value>
report::Series over_days(const std::string& name,
                         const std::vector<DayRow>& days,
                         Value value,
                         bool dashed = false) {
  report::Series series{name, {}, {}, dashed};
  for (const DayRow& row : days) {
    series.x.push_back(static_cast<double>(row.day));
    series.y.push_back(value(row));
  }
  return series;
}

std::string accuracy_chart(const std::vector<DayRow>& days) {
  report::ChartOptions options;
  options.title = "Accuracy on the test images as each day shows them";
  options.x_label = "day";
  options.y_label = "accuracy, %";
  options.bands = phase_bands(days);
  options.markers = release_markers(days);
  return report::line_chart(
      {over_days("loop", days, [](const DayRow& r) { return 100 * r.loop_accuracy; }),
       over_days(
           "frozen first model", days, [](const DayRow& r) { return 100 * r.frozen_accuracy; }),
       over_days(
           "estimated from audits",
           days,
           [](const DayRow& r) { return 100 * r.estimated_accuracy; },
           true)},
      options);
}

std::string upload_chart(const std::vector<DayRow>& days) {
  std::vector<std::string> categories;
  for (const DayRow& row : days) {
    categories.push_back(fmt::format("{}", row.day));
  }
  report::ChartOptions options;
  options.title = "Samples uploaded";
  options.x_label = "day";
  options.y_label = "samples";
  options.y_from_zero = true;
  options.height = 260;
  return report::bar_chart(
      categories,
      {over_days(
          "uploaded", days, [](const DayRow& r) { return static_cast<double>(r.uploaded); })},
      options);
}

std::vector<std::vector<std::string>> day_rows(const LoopResult& result) {
  std::vector<std::vector<std::string>> rows;
  for (const DayRow& d : result.days) {
    rows.push_back({fmt::format("{}", d.day),
                    d.phase,
                    percent(d.frozen_accuracy),
                    percent(d.loop_accuracy),
                    percent(d.stream_accuracy),
                    fmt::format("{}", d.uploaded),
                    fmt::format("{}", d.uploaded_bytes),
                    fmt::format("{}", d.release)});
  }
  return rows;
}

const std::vector<std::string> kDayHeader{
    "day", "drift", "frozen", "loop", "stream", "uploaded", "bytes", "release"};

void add_stages(report::HtmlReport& page, const std::vector<StageTime>& times) {
  std::vector<std::vector<std::string>> rows;
  for (const StageTime& stage : times) {
    rows.push_back(
        {stage.name, stage.cached ? "found finished" : fmt::format("{:.1f} s", stage.seconds)});
  }
  page.section("Stages").table({"stage", "time"}, rows);
}

void add_figures(report::HtmlReport& page, const std::map<std::string, double>& figures) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : figures) {
    rows.push_back({name, fmt::format("{:.6g}", value)});
  }
  page.section("Figures").table({"figure", "value"}, rows);
}

/// The tiles of an experiment: how good, how large, how fast.
std::vector<std::pair<std::string, std::string>> facts_of(
    const std::map<std::string, double>& figures) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const char* figure, const char* name, auto format) {
    if (const auto it = figures.find(figure); it != figures.end()) {
      facts.emplace_back(name, format(it->second));
    }
  };
  const auto digits = [](double v) {
    return fmt::format("{:.4g}", v);
  };
  add("accuracy", "accuracy", percent);
  add("rmse", "RMSE", digits);
  add("r2", "R²", digits);
  add("reconstruction_error", "reconstruction error", digits);
  add("auroc", "AUROC", digits);
  add("macs", "MACs", [](double v) {
    return v < 1e6 ? fmt::format("{:.1f} k", v / 1e3) : fmt::format("{:.2f} M", v / 1e6);
  });
  add("bytes", "size", [](double v) { return fmt::format("{:.1f} KB", v / 1e3); });
  add("latency_us", "latency, one thread", [](double v) { return fmt::format("{:.1f} µs", v); });
  return facts;
}

}  // namespace

std::string day_table(const LoopResult& result) {
  return report::text_table(kDayHeader, day_rows(result));
}

void write_report(const LoopResult& result,
                  const std::string& title,
                  const std::string& config,
                  const std::filesystem::path& file) {
  const auto& f = result.figures;
  report::HtmlReport page(title);
  page.facts(
      {{"gain over the frozen model", fmt::format("{:+.1f} points", f.at("loop_gain_points"))},
       {"last day", percent(f.at("last_day_accuracy"))},
       {"uploaded", percent(f.at("uploaded_share"))},
       {"shipped / float student bytes",
        fmt::format("1 / {:.1f}", 1 / f.at("student_bytes_ratio"))},
       {"shipped / float student MACs", fmt::format("1 / {:.1f}", 1 / f.at("student_macs_ratio"))},
       {"lost or counted twice",
        fmt::format("{:g}", f.at("samples_lost") + f.at("samples_duplicated"))}});
  page.section("Accuracy over days").svg(accuracy_chart(result.days));
  page.text(
      "Frozen and loop: the first and the current artefact on the test images, drifted as the "
      "day's field is and "
      "restricted to the classes that occur in it. Dashed: what the cloud estimates from randomly "
      "audited samples alone.");
  page.section("What devices sent").svg(upload_chart(result.days));
  page.section("Confusion on the last day")
      .side_by_side({report::confusion_chart(
                         result.confusion_before, result.class_names, "frozen first model"),
                     report::confusion_chart(result.confusion_after, result.class_names, "loop")});
  page.section("Days").table(kDayHeader, day_rows(result));
  std::vector<std::vector<std::string>> events;
  for (const DayRow& row : result.days) {
    for (const std::string& event : row.events) {
      events.push_back({fmt::format("{}", row.day), event});
    }
  }
  page.section("Releases").table({"day", "event"}, events);
  add_stages(page, result.times);
  add_figures(page, f);
  page.details("Configuration, every default spelled out", config);
  page.write(file);
}

void write_results(const LoopResult& result, const std::filesystem::path& folder) {
  std::filesystem::remove(folder / "metrics.jsonl");
  report::MetricsLog log(folder / "metrics.jsonl");
  std::map<std::string, std::string> phases;
  for (const DayRow& row : result.days) {
    std::map<std::string, double> values{
        {"frozen_accuracy", row.frozen_accuracy},
        {"loop_accuracy", row.loop_accuracy},
        {"stream_accuracy", row.stream_accuracy},
        {"inferred", static_cast<double>(row.inferred)},
        {"uploaded", static_cast<double>(row.uploaded)},
        {"uploaded_bytes", static_cast<double>(row.uploaded_bytes)},
        {"release", static_cast<double>(row.release)}};
    if (std::isfinite(row.estimated_accuracy)) {
      values["estimated_accuracy"] = row.estimated_accuracy;
    }
    log.write(row.day, values);
    phases[fmt::format("day_{:02}", row.day)] = row.phase;
  }
  report::write_summary(
      folder / "summary.json", result.figures, phases, seconds_by_stage(result.times));
}

void write_report(const ExperimentResult& result,
                  const std::string& title,
                  const std::string& config,
                  const std::filesystem::path& file) {
  const auto& f = result.figures;
  report::HtmlReport page(title);
  page.facts(facts_of(f));
  std::vector<report::Series> curves;
  for (const auto& [name, model] : {std::pair{"student", result.lineage.student},
                                    std::pair{"teacher", result.lineage.teacher}}) {
    const auto log = model.parent_path() / "metrics.jsonl";
    if (model.empty() || !std::filesystem::exists(log)) {
      continue;
    }
    report::Series series{fmt::format("{} loss", name), {}, {}, false};
    for (const auto& row : report::read_metrics(log)) {
      if (const auto it = row.values.find("loss"); it != row.values.end()) {
        series.x.push_back(static_cast<double>(row.step));
        series.y.push_back(it->second);
      }
    }
    curves.push_back(std::move(series));
  }
  report::ChartOptions chart;
  chart.title = "Training loss";
  chart.x_label = "epoch";
  chart.y_label = "loss";
  page.section("Learning curves").svg(report::line_chart(curves, chart));
  if (!result.confusion.empty()) {
    page.section("Confusion")
        .svg(report::confusion_chart(result.confusion, result.class_names, "test data"));
  }
  page.text(fmt::format("All that the test data shows: {}",
                        std::filesystem::relative(result.evaluation, file.parent_path())
                            .append("report.html")
                            .string()));
  add_stages(page, result.times);
  add_figures(page, f);
  page.details("Configuration, every default spelled out", config);
  page.write(file);
}

}  // namespace coppice::loop
