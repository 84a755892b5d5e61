#include <fmt/format.h>

#include "compress/weight_sharing.h"
#include "core/clock.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "train/components.h"
#include "train/job_kinds/rewrite_job.h"

namespace coppice::train {

void run_share_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model"});
  const auto options = context.options<compress::ShareOptions>();
  const graph::Model before = graph::load_onnx(context.input("model"));
  compress::ShareReport rows;
  graph::Model after = compress::share_weights(before, options, &rows);
  add_lineage(context, before, after);

  std::map<std::string, double> figures = save_for_transfer(context, before, after);
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

  report::HtmlReport page("Weight sharing: " + context.spec.name);
  page.facts({{"bytes to transfer", fmt::format("{:.0f}", figures["transfer_bytes"])}})
      .section("Layers")
      .table({"layer", "weights", "zeros", "values besides", "error (root mean square)"}, table)
      .write(context.folder / "report.html");
  context.write_summary(figures);
}

}  // namespace coppice::train
