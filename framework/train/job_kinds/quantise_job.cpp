#include <algorithm>
#include <numeric>

#include "compress/quantise.h"
#include "core/clock.h"
#include "core/config.h"
#include "data/store.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/metrics_log.h"
#include "train/check_model.h"
#include "train/components.h"
#include "train/sample_tensor.h"

namespace coppice::train {

void run_quantise_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model", "calibration"});
  const auto options = core::read_options<compress::QuantiseOptions>(
      core::parse_config_text(context.spec.options, "options"));
  const graph::Model before = graph::load_onnx(context.input("model"));
  const auto dataset = data::open_version(context.input("calibration"));
  check_model_fits(before, dataset->schema(), "model");
  graph::Model after =
      compress::quantise(before, first_samples(*dataset, options.samples), options);
  after.metadata.lineage["parent"] = graph::content_hash(before);
  after.metadata.lineage["stage"] = context.spec.name;

  const graph::Cost cost = graph::cost(after);
  graph::save_onnx(after, context.folder / "model.onnx");
  report::write_summary(
      context.folder / "summary.json",
      {{"macs", static_cast<double>(cost.macs)},
       {"weight_bytes_before", static_cast<double>(graph::cost(before).weight_bytes)},
       {"weight_bytes", static_cast<double>(cost.weight_bytes)},
       {"file_bytes",
        static_cast<double>(std::filesystem::file_size(context.folder / "model.onnx"))},
       {"calibration_samples", static_cast<double>(std::min(options.samples, dataset->size()))},
       {"seconds", watch.seconds()}},
      {{"kind", context.spec.kind}, {"name", context.spec.name}});
}

}  // namespace coppice::train
