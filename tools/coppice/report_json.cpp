#include <cmath>

#include <nlohmann/json.hpp>

#include "coppice/report_render.h"
#include "core/files.h"

namespace coppice::tools {

namespace {

using Json = nlohmann::ordered_json;

/// JSON has no infinity: an effect of differences that are all the same is null.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json run_json(const Comparison& comparison, size_t run) {
  const Run& one = comparison.runs[run];
  return {{"folder", one.folder.string()},
          {"kind", one.kind},
          {"seed", one.seed},
          {"figures", one.figures}};
}

Json group_json(const Comparison& comparison, size_t g) {
  const RunGroup& group = comparison.groups[g];
  Json fields = Json::object();
  for (size_t i = 0; i < comparison.fields.size(); ++i) {
    fields[comparison.fields[i]] = group.values[i];
  }
  Json figures = Json::object();
  for (const std::string& figure : comparison.figures) {
    if (const Spread spread = comparison.spread(g, figure); spread.count > 0) {
      figures[figure] = {{"n", spread.count}, {"mean", spread.mean}, {"sd", spread.sd}};
    }
  }
  return {{"name", group.letter}, {"fields", fields}, {"runs", group.runs}, {"figures", figures}};
}

Json pair_json(const Comparison& comparison, const std::string& metric, const GroupPair& pair) {
  Json json = {{"metric", metric},
               {"first", comparison.groups[pair.first].letter},
               {"second", comparison.groups[pair.second].letter},
               {"seeds", pair.seeds}};
  if (pair.tests) {
    const auto& t = *pair.tests;
    json["n"] = t.pairs;
    json["difference"] = {{"mean", t.mean_difference},
                          {"sd", t.sd_difference},
                          {"low", t.low},
                          {"high", t.high},
                          {"effect", number(t.effect)}};
    json["t_test"] = {{"t", number(t.t)}, {"p", t.t_p}, {"p_holm", pair.t_holm}};
    json["wilcoxon"] = {{"p", t.wilcoxon_p}, {"p_holm", pair.wilcoxon_holm}};
  }
  return json;
}

}  // namespace

void write_comparison_json(const Comparison& comparison, const std::filesystem::path& file) {
  Json json = {{"runs", Json::array()},
               {"configurations", Json::array()},
               {"tests", Json::array()},
               {"remarks", comparison.remarks}};
  for (size_t r = 0; r < comparison.runs.size(); ++r) {
    json["runs"].push_back(run_json(comparison, r));
  }
  for (size_t g = 0; g < comparison.groups.size(); ++g) {
    json["configurations"].push_back(group_json(comparison, g));
  }
  for (const auto& [metric, pairs] : comparison.pairs) {
    for (const GroupPair& pair : pairs) {
      json["tests"].push_back(pair_json(comparison, metric, pair));
    }
  }
  core::write_file(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace coppice::tools
