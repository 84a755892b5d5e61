#include <algorithm>

#include <fmt/format.h>

#include "compress/prune.h"
#include "core/clock.h"
#include "core/config.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "report/metrics_log.h"
#include "train/components.h"

namespace coppice::train {

void run_prune_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model"});
  const auto options = core::read_options<compress::PruneOptions>(
      core::parse_config_text(context.spec.options, "options"));
  const graph::Model before = graph::load_onnx(context.input("model"));
  compress::PruneReport rows;
  graph::Model after = compress::prune(before, options, &rows);
  after.metadata.lineage["parent"] = graph::content_hash(before);
  after.metadata.lineage["stage"] = context.spec.name;

  const graph::Cost cost = graph::cost(after);
  std::map<std::string, double> figures{
      {"macs_before", static_cast<double>(rows.macs_before)},
      {"macs", static_cast<double>(cost.macs)},
      {"macs_ratio", static_cast<double>(cost.macs) / static_cast<double>(rows.macs_before)},
      {"parameters_before", static_cast<double>(graph::cost(before).parameters)},
      {"parameters", static_cast<double>(cost.parameters)},
      {"weight_bytes", static_cast<double>(cost.weight_bytes)}};
  std::vector<std::vector<std::string>> table;
  for (const auto& row : rows.rows) {
    figures["channels_before." + row.group] = static_cast<double>(row.before);
    figures["channels." + row.group] = static_cast<double>(row.after);
    table.push_back({row.group, std::to_string(row.before), std::to_string(row.after)});
  }
  figures["seconds"] = watch.seconds();

  graph::save_onnx(after, context.folder / "model.onnx");
  report::HtmlReport page("Pruning: " + context.spec.name);
  page.facts({{"MACs left", fmt::format("{:.1f} %", 100 * figures["macs_ratio"])},
              {"parameters", fmt::format("{:.0f}", figures["parameters"])}})
      .section("Channels")
      .table({"group", "before", "after"}, table)
      .write(context.folder / "report.html");
  report::write_summary(context.folder / "summary.json",
                        figures,
                        {{"kind", context.spec.kind}, {"name", context.spec.name}});
}

}  // namespace coppice::train
