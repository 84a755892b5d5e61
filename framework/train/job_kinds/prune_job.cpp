#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "compress/prune.h"
#include "core/clock.h"
#include "core/config.h"
#include "data/store.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "report/metrics_log.h"
#include "train/components.h"
#include "train/importance.h"

namespace coppice::train {

namespace {

/// What the criterion reads of the training data, where it reads any.
std::optional<compress::Statistics> statistics_for(const JobContext& context,
                                                   const graph::Model& model,
                                                   const compress::PruneOptions& options) {
  const compress::CriterionNeeds needs = compress::criteria().get(options.criterion).needs;
  if (needs == compress::CriterionNeeds::Nothing || !context.has_input("train")) {
    return std::nullopt;  // compress says what is missing
  }
  return measure_importance(
      model, *data::open_version(context.input("train")), needs, options.importance);
}

}  // namespace

void run_prune_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model", "train", "reference"});
  const auto options = core::read_options<compress::PruneOptions>(
      core::parse_config_text(context.spec.options, "options"));
  const graph::Model before = graph::load_onnx(context.input("model"));
  const graph::Model reference =
      context.has_input("reference") ? graph::load_onnx(context.input("reference")) : before;
  const auto statistics = statistics_for(context, before, options);
  compress::PruneReport pruned;
  graph::Model after =
      compress::prune(before,
                      options,
                      &pruned,
                      {.statistics = statistics ? &*statistics : nullptr, .reference = &reference});
  after.metadata.lineage["parent"] = graph::content_hash(before);
  after.metadata.lineage["stage"] = context.spec.name;

  const graph::Cost cost = graph::cost(after);
  std::map<std::string, double> figures{
      {"macs_before", static_cast<double>(pruned.macs_before)},
      {"macs", static_cast<double>(cost.macs)},
      {"macs_ratio", static_cast<double>(cost.macs) / static_cast<double>(pruned.macs_before)},
      {"parameters_before", static_cast<double>(graph::cost(reference).parameters)},
      {"parameters", static_cast<double>(cost.parameters)},
      {"weight_bytes", static_cast<double>(cost.weight_bytes)},
      {"target_before", pruned.cost_before},
      {"target", pruned.cost_after}};
  std::vector<std::vector<std::string>> table;
  for (const auto& row : pruned.rows) {
    figures["channels_before." + row.group] = static_cast<double>(row.before);
    figures["channels." + row.group] = static_cast<double>(row.after);
    table.push_back({row.group, std::to_string(row.before), std::to_string(row.after)});
  }
  figures["seconds"] = watch.seconds();

  graph::save_onnx(after, context.folder / "model.onnx");
  report::HtmlReport page("Pruning: " + context.spec.name);
  page.facts({{"MACs left", fmt::format("{:.1f} %", 100 * figures["macs_ratio"])},
              {"parameters", fmt::format("{:.0f}", figures["parameters"])},
              {pruned.metric + " before", fmt::format("{:.6g}", pruned.cost_before)},
              {pruned.metric + " after", fmt::format("{:.6g}", pruned.cost_after)}})
      .section("Channels")
      .table({"group", "before", "after"}, table)
      .write(context.folder / "report.html");
  report::write_summary(context.folder / "summary.json",
                        figures,
                        {{"kind", context.spec.kind},
                         {"name", context.spec.name},
                         {"criterion", options.criterion},
                         {"target_metric", pruned.metric}});
}

}  // namespace coppice::train
