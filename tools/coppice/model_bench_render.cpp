#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coppice/model_bench.h"
#include "report/chart.h"
#include "report/html.h"

namespace coppice::tools {

namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

const std::vector<std::string> kCaseHeader{"model",
                                           "backend",
                                           "median µs",
                                           "p90 µs",
                                           "p99 µs",
                                           "samples/s",
                                           "vs first",
                                           "GMAC/s",
                                           "peak MB",
                                           "arena kB",
                                           "weights kB",
                                           "build ms"};
const std::vector<std::string> kStepHeader{"layer", "work", "µs", "share"};

std::string label(const BenchCase& one) {
  return fmt::format("{} on {}", one.source, one.error.empty() ? one.backend : one.asked);
}

std::string backend_cell(const BenchCase& one) {
  return one.asked == one.backend || one.backend.empty()
             ? one.asked
             : fmt::format("{} ({})", one.asked, one.backend);
}

double gmacs_per_second(const BenchCase& one) {
  return static_cast<double>(one.macs) * one.samples_per_second / 1e9;
}

/// The first case that ran: what the others are compared with.
const BenchCase& first_of(const std::vector<BenchCase>& cases) {
  return *std::find_if(
      cases.begin(), cases.end(), [](const BenchCase& one) { return one.error.empty(); });
}

Rows case_rows(const std::vector<BenchCase>& cases) {
  const double first = first_of(cases).latency.median_us;
  Rows rows;
  for (const BenchCase& one : cases) {
    std::vector<std::string> row{one.source, backend_cell(one)};
    if (one.error.empty()) {
      const auto kilobytes = [](int64_t bytes) {
        return fmt::format("{:.1f}", static_cast<double>(bytes) / 1024);
      };
      row.insert(row.end(),
                 {fmt::format("{:.2f}", one.latency.median_us),
                  fmt::format("{:.2f}", one.latency.p90_us),
                  fmt::format("{:.2f}", one.latency.p99_us),
                  fmt::format("{:.0f}", one.samples_per_second),
                  fmt::format("{:.2f}", one.latency.median_us / first),
                  fmt::format("{:.1f}", gmacs_per_second(one)),
                  fmt::format("{:.1f}", static_cast<double>(one.peak_bytes) / (1 << 20)),
                  kilobytes(one.arena_bytes),
                  kilobytes(one.weight_bytes),
                  fmt::format("{:.1f}", one.build_ms)});
    }
    row.resize(kCaseHeader.size(), "–");
    rows.push_back(std::move(row));
  }
  return rows;
}

Rows step_rows(const BenchCase& one) {
  const double total = std::accumulate(
      one.steps.begin(), one.steps.end(), 0.0, [](double sum, const runtime::StepTime& step) {
        return sum + step.micros;
      });
  Rows rows;
  for (const runtime::StepTime& step : one.steps) {
    rows.push_back({step.node,
                    step.work,
                    fmt::format("{:.2f}", step.micros),
                    fmt::format("{:.1f} %", total > 0 ? 100 * step.micros / total : 0)});
  }
  rows.push_back({"all", "", fmt::format("{:.2f}", total), "100.0 %"});
  return rows;
}

std::string setting(const ModelBenchOptions& options) {
  return fmt::format("batch {}, threads {}, {} rounds of {} runs",
                     options.profile.batch,
                     options.threads,
                     options.rounds,
                     options.profile.runs);
}

Json case_json(const BenchCase& one, bool keep_times) {
  if (!one.error.empty()) {
    return {{"model", one.source}, {"asked", one.asked}, {"error", one.error}};
  }
  Json steps = Json::array();
  for (const runtime::StepTime& step : one.steps) {
    steps.push_back({{"layer", step.node}, {"work", step.work}, {"us", step.micros}});
  }
  Json json = {{"model", one.source},
               {"name", one.name},
               {"asked", one.asked},
               {"backend", one.backend},
               {"reason", one.reason},
               {"runs", one.latency.runs},
               {"median_us", one.latency.median_us},
               {"p90_us", one.latency.p90_us},
               {"p99_us", one.latency.p99_us},
               {"mean_us", one.latency.mean_us},
               {"samples_per_second", one.samples_per_second},
               {"macs", one.macs},
               {"parameters", one.parameters},
               {"weight_bytes", one.weight_bytes},
               {"arena_bytes", one.arena_bytes},
               {"peak_bytes", one.peak_bytes},
               {"build_ms", one.build_ms},
               {"layers", std::move(steps)}};
  if (keep_times) {
    json["times_us"] = one.times_us;
  }
  return json;
}

}  // namespace

std::string bench_text(const std::vector<BenchCase>& cases, const ModelBenchOptions& options) {
  std::string text = setting(options) + "\n\n" + report::text_table(kCaseHeader, case_rows(cases));
  for (const BenchCase& one : cases) {
    if (!one.error.empty()) {
      text += fmt::format("\n{}: {}\n", label(one), one.error);
      continue;
    }
    if (one.asked != one.backend) {
      text += fmt::format("\n{}: {}\n", label(one), one.reason);
    }
    if (options.layers || cases.size() == 1) {
      text += fmt::format(
          "\n{}, by layer\n{}", label(one), report::text_table(kStepHeader, step_rows(one)));
    }
  }
  return text;
}

std::string bench_json(const std::vector<BenchCase>& cases, const ModelBenchOptions& options) {
  Json all = {{"batch", options.profile.batch},
              {"threads", options.threads},
              {"rounds", options.rounds},
              {"cases", Json::array()}};
  for (const BenchCase& one : cases) {
    all["cases"].push_back(case_json(one, options.keep_times));
  }
  return all.dump(2);
}

void write_bench_page(const std::vector<BenchCase>& cases, const ModelBenchOptions& options) {
  report::HtmlReport page("Latency of models");
  const BenchCase& first = first_of(cases);
  page.facts({{"first model", first.name},
              {"its median", fmt::format("{:.1f} µs", first.latency.median_us)},
              {"its throughput", fmt::format("{:.0f} samples/s", first.samples_per_second)},
              {"its peak memory",
               fmt::format("{:.1f} MB", static_cast<double>(first.peak_bytes) / (1 << 20))}});
  page.section("Comparison").text(setting(options) + ".").table(kCaseHeader, case_rows(cases));
  std::vector<report::Series> series;
  for (const BenchCase& one : cases) {
    if (one.error.empty()) {
      auto& times = series.emplace_back();
      times.name = label(one);
      times.y = one.times_us;
    }
  }
  report::ChartOptions chart;
  chart.title = "Times of single runs";
  chart.x_label = "µs";
  chart.y_label = "% of runs";
  for (const BenchCase& one : cases) {
    chart.x_limit = one.error.empty() ? std::max(std::isfinite(chart.x_limit) ? chart.x_limit : 0.0,
                                                 2 * one.latency.p90_us)
                                      : chart.x_limit;
  }
  page.svg(report::histogram_chart(series, chart));
  for (const BenchCase& one : cases) {
    page.section(label(one));
    if (!one.error.empty()) {
      page.text(one.error);
      continue;
    }
    page.svg(step_picture(one.steps, one.name + " on " + one.backend))
        .table(kStepHeader, step_rows(one));
  }
  page.write(options.html);
}

}  // namespace coppice::tools
