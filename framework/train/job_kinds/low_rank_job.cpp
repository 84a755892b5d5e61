#include <fmt/format.h>

#include "compress/low_rank.h"
#include "core/clock.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "train/components.h"
#include "train/job_kinds/rewrite_job.h"

namespace coppice::train {

void run_low_rank_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model"});
  const auto options = context.options<compress::LowRankOptions>();
  const graph::Model before = graph::load_onnx(context.input("model"));
  compress::LowRankReport rows;
  graph::Model after = compress::factorise(before, options, &rows);
  add_lineage(context, before, after);

  const graph::Cost old_cost = graph::cost(before);
  const graph::Cost cost = graph::cost(after);
  std::map<std::string, double> figures{
      {"macs_before", static_cast<double>(old_cost.macs)},
      {"macs", static_cast<double>(cost.macs)},
      {"macs_ratio", static_cast<double>(cost.macs) / static_cast<double>(old_cost.macs)},
      {"parameters_before", static_cast<double>(old_cost.parameters)},
      {"parameters", static_cast<double>(cost.parameters)},
      {"weight_bytes", static_cast<double>(cost.weight_bytes)}};
  std::vector<std::vector<std::string>> table;
  for (const auto& row : rows.rows) {
    if (row.method.empty()) {
      table.push_back({row.node, row.reason, "", "", "", ""});
      continue;
    }
    figures["rank." + row.node] = static_cast<double>(row.rank_out);
    figures["relative_error." + row.node] = row.error;
    table.push_back({row.node,
                     row.method,
                     fmt::format("{}, {}", row.rank_out, row.rank_in),
                     fmt::format("{} -> {}", row.parameters_before, row.parameters),
                     fmt::format("{} -> {}", row.macs_before, row.macs),
                     fmt::format("{:.1f} %", 100 * row.error)});
  }
  figures["seconds"] = watch.seconds();

  graph::save_onnx(after, context.folder / "model.onnx");
  report::HtmlReport page("Low rank: " + context.spec.name);
  page.facts({{"MACs left", fmt::format("{:.1f} %", 100 * figures["macs_ratio"])},
              {"parameters", fmt::format("{:.0f}", figures["parameters"])}})
      .section("Layers")
      .table({"layer", "method", "ranks (out, in)", "weights", "MACs", "error of the weight"},
             table)
      .write(context.folder / "report.html");
  context.write_summary(figures);
}

}  // namespace coppice::train
