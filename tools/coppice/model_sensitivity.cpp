#include "coppice/model_sensitivity.h"

#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "coppice/model_source.h"
#include "coppice/trainer.h"
#include "core/files.h"
#include "graph/onnx.h"
#include "jobs/executor.h"
#include "report/html.h"
#include "report/metrics_log.h"

namespace coppice::tools {

namespace {

namespace fs = std::filesystem;

/// The scan as the job's summary tells it: "score.<group>.<share>", "bearable_share.<group>".
struct SensitivityScan {
  double whole = 0;
  std::map<std::string, std::map<double, double>> scores;  ///< by group and share
  std::map<std::string, double> bearable;                  ///< share by group
};

SensitivityScan scan_of(const std::map<std::string, double>& figures) {
  constexpr std::string_view kBearable = "bearable_share.";
  SensitivityScan scan;
  scan.whole = figures.at("score");
  for (const auto& [name, value] : figures) {
    if (name.starts_with(kBearable)) {
      scan.bearable[name.substr(kBearable.size())] = value;
    }
  }
  for (const auto& [group, share] : scan.bearable) {
    const std::string prefix = fmt::format("score.{}.", group);
    for (auto it = figures.lower_bound(prefix);
         it != figures.end() && it->first.starts_with(prefix);
         ++it) {
      double cut = 0;
      const char* end = it->first.data() + it->first.size();
      const auto parsed = std::from_chars(it->first.data() + prefix.size(), end, cut);
      if (parsed.ptr == end) {  // else of a group whose name goes on: conv, conv.1
        scan.scores[group][cut] = it->second;
      }
    }
  }
  return scan;
}

std::string options_text(const ModelSensitivityOptions& options) {
  std::string text = fmt::format("criterion: {}\nsamples: {}\ntolerance: {}\n",
                                 options.criterion,
                                 options.samples,
                                 options.tolerance);
  if (!options.shares.empty()) {
    text += fmt::format("shares: [{}]\n", fmt::join(options.shares, ", "));
  }
  return text;
}

std::string scan_table(const SensitivityScan& scan) {
  std::set<double> shares;
  for (const auto& [group, scores] : scan.scores) {
    for (const auto& [share, score] : scores) {
      shares.insert(share);
    }
  }
  std::vector<std::string> header{"group"};
  for (const double share : shares) {
    header.push_back(fmt::format("{:g} %", 100 * share));
  }
  header.emplace_back("bears");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [group, scores] : scan.scores) {
    std::vector<std::string> row{group};
    for (const double share : shares) {
      const auto it = scores.find(share);
      row.push_back(it == scores.end() ? "–" : fmt::format("{:.4f}", it->second));
    }
    row.push_back(fmt::format("{:g} %", 100 * scan.bearable.at(group)));
    rows.push_back(std::move(row));
  }
  return report::text_table(header, rows);
}

}  // namespace

void scan_sensitivity(const ModelSensitivityOptions& options) {
  const auto executor = jobs::make_local_executor(trainer_path(options.trainer));
  const core::TemporaryFolder folder;
  const fs::path onnx = folder.path() / "model.onnx";
  graph::save_onnx(open_model(options.source, options.overrides).model, onnx);
  jobs::JobSpec spec;
  spec.kind = "sensitivity";
  spec.name = "sensitivity";
  spec.inputs = {{"model", onnx}, {"data", options.data}};
  if (!options.train.empty()) {
    spec.inputs["train"] = options.train;
  }
  spec.options = options_text(options);
  const fs::path results = folder.path() / "job";
  executor->run(spec, results, [](const jobs::JobProgress&) {});
  const SensitivityScan scan = scan_of(report::read_figures(results / "summary.json"));
  if (!options.html.empty()) {
    core::write_file(options.html, core::read_text(results / "report.html"));
  }
  if (options.json) {
    nlohmann::ordered_json all = {{"score", scan.whole}, {"groups", nlohmann::json::array()}};
    for (const auto& [group, scores] : scan.scores) {
      auto cuts = nlohmann::ordered_json::array();
      for (const auto& [share, score] : scores) {
        cuts.push_back({{"share", share}, {"score", score}});
      }
      all["groups"].push_back(
          {{"group", group}, {"bearable_share", scan.bearable.at(group)}, {"cuts", cuts}});
    }
    fmt::print("{}\n", all.dump(2));
    return;
  }
  fmt::print("whole: {:.4f}; score when this share of one group is cut, the others whole\n\n{}",
             scan.whole,
             scan_table(scan));
  if (!options.html.empty()) {
    fmt::print("\npage: {}\n", options.html.string());
  }
}

}  // namespace coppice::tools
