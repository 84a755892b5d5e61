#include <fmt/format.h>

#include "compress/weight_sharing.h"
#include "core/clock.h"
#include "core/config.h"
#include "graph/onnx.h"
#include "graph/transfer.h"
#include "report/html.h"
#include "report/metrics_log.h"
#include "train/components.h"

namespace coppice::train {

void run_share_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model"});
  const auto options = core::read_options<compress::ShareOptions>(
      core::parse_config_text(context.spec.options, "options"));
  const graph::Model before = graph::load_onnx(context.input("model"));
  compress::ShareReport rows;
  graph::Model after = compress::share_weights(before, options, &rows);
  after.metadata.lineage["parent"] = graph::content_hash(before);
  after.metadata.lineage["stage"] = context.spec.name;
  const core::Bytes onnx = graph::to_onnx(after);

  std::map<std::string, double> figures{
      {"transfer_bytes_before",
       static_cast<double>(graph::to_transfer(graph::to_onnx(before)).size())},
      {"transfer_bytes", static_cast<double>(graph::to_transfer(onnx).size())}};
  std::vector<std::vector<std::string>> table;
  for (const auto& row : rows.rows) {
    figures["shared_values." + row.node] = static_cast<double>(row.shared);
    figures["rms_error." + row.node] = row.rms_error;
    table.push_back({row.node,
                     std::to_string(row.values),
                     std::to_string(row.zeros),
                     std::to_string(row.shared),
                     fmt::format("{:.3g}", row.rms_error)});
  }
  figures["seconds"] = watch.seconds();

  core::write_file(context.folder / "model.onnx", onnx);
  report::HtmlReport page("Weight sharing: " + context.spec.name);
  page.facts({{"bytes to transfer", fmt::format("{:.0f}", figures["transfer_bytes"])}})
      .section("Layers")
      .table({"layer", "weights", "zeros", "values besides", "error (root mean square)"}, table)
      .write(context.folder / "report.html");
  report::write_summary(context.folder / "summary.json",
                        figures,
                        {{"kind", context.spec.kind}, {"name", context.spec.name}});
}

}  // namespace coppice::train
