#include <fmt/format.h>

#include "compress/sparsify.h"
#include "core/clock.h"
#include "core/config.h"
#include "graph/onnx.h"
#include "graph/transfer.h"
#include "report/html.h"
#include "report/metrics_log.h"
#include "train/components.h"

namespace coppice::train {

void run_sparsify_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model"});
  const auto options = core::read_options<compress::SparsifyOptions>(
      core::parse_config_text(context.spec.options, "options"));
  const graph::Model before = graph::load_onnx(context.input("model"));
  compress::SparsifyReport rows;
  graph::Model after = compress::sparsify(before, options, &rows);
  after.metadata.lineage["parent"] = graph::content_hash(before);
  after.metadata.lineage["stage"] = context.spec.name;
  const core::Bytes onnx = graph::to_onnx(after);

  std::map<std::string, double> figures{
      {"transfer_bytes_before",
       static_cast<double>(graph::to_transfer(graph::to_onnx(before)).size())},
      {"transfer_bytes", static_cast<double>(graph::to_transfer(onnx).size())}};
  std::vector<std::vector<std::string>> table;
  double values = 0;
  double zeros = 0;
  for (const auto& row : rows.rows) {
    values += static_cast<double>(row.values);
    zeros += static_cast<double>(row.zeros);
    figures["zeros." + row.node] = static_cast<double>(row.zeros) / static_cast<double>(row.values);
    table.push_back({row.node,
                     std::to_string(row.values),
                     std::to_string(row.zeros_before),
                     std::to_string(row.zeros)});
  }
  figures["zeros"] = zeros / values;
  figures["seconds"] = watch.seconds();

  core::write_file(context.folder / "model.onnx", onnx);
  report::HtmlReport page("Sparsity: " + context.spec.name);
  page.facts({{"weights that are zero", fmt::format("{:.2f} %", 100 * figures["zeros"])},
              {"bytes to transfer", fmt::format("{:.0f}", figures["transfer_bytes"])}})
      .section("Layers")
      .table({"layer", "weights", "zeros before", "zeros"}, table)
      .write(context.folder / "report.html");
  report::write_summary(context.folder / "summary.json",
                        figures,
                        {{"kind", context.spec.kind}, {"name", context.spec.name}});
}

}  // namespace coppice::train
