#include <fmt/format.h>

#include "compress/sparsify.h"
#include "core/clock.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "train/components.h"
#include "train/job_kinds/rewrite_job.h"

namespace coppice::train {

void run_sparsify_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model"});
  const auto options = context.options<compress::SparsifyOptions>();
  const graph::Model before = graph::load_onnx(context.input("model"));
  compress::SparsifyReport rows;
  graph::Model after = compress::sparsify(before, options, &rows);
  add_lineage(context, before, after);

  std::map<std::string, double> figures = save_for_transfer(context, before, after);
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

  report::HtmlReport page("Sparsity: " + context.spec.name);
  page.facts({{"weights that are zero", fmt::format("{:.2f} %", 100 * figures["zeros"])},
              {"bytes to transfer", fmt::format("{:.0f}", figures["transfer_bytes"])}})
      .section("Layers")
      .table({"layer", "weights", "zeros before", "zeros"}, table)
      .write(context.folder / "report.html");
  context.write_summary(figures);
}

}  // namespace coppice::train
