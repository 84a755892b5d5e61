#include <optional>

#include <fmt/format.h>

#include "compress/prune.h"
#include "core/clock.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "train/components.h"
#include "train/job_kinds/rewrite_job.h"

namespace coppice::train {

void run_prune_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model", "train", "reference"});
  const auto options = context.options<compress::PruneOptions>();
  const graph::Model before = graph::load_onnx(context.input("model"));
  std::optional<graph::Model> earlier;  // before the steps that led to this one
  if (context.has_input("reference")) {
    earlier = graph::load_onnx(context.input("reference"));
  }
  const graph::Model& reference = earlier ? *earlier : before;
  const auto statistics = statistics_for(context, before, options.criterion, options.importance);
  compress::PruneReport pruned;
  graph::Model after = compress::prune(before,
                                       options,
                                       &pruned,
                                       {.statistics = statistics ? &*statistics : nullptr,
                                        .reference = earlier ? &*earlier : nullptr});
  add_lineage(context, before, after);

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
  context.write_summary(figures,
                        {{"criterion", options.criterion}, {"target_metric", pruned.metric}});
}

}  // namespace coppice::train
