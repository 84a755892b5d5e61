#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compress/quantise.h"
#include "core/clock.h"
#include "data/store.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/html.h"
#include "train/check_model.h"
#include "train/components.h"
#include "train/job_kinds/rewrite_job.h"
#include "train/sample_tensor.h"

namespace coppice::train {

namespace {

/// Each layer, what it computes in and, where that was measured, what int8 costs it alone.
void write_page(const JobContext& context,
                const compress::QuantiseReport& found,
                const graph::Cost& cost) {
  const auto sensitivity_of = [&](const std::string& layer) -> std::string {
    for (const compress::LayerSensitivity& known : found.sensitivity) {
      if (known.layer == layer) {
        return fmt::format("{:.1f}", known.sqnr_db);
      }
    }
    return "";
  };
  std::vector<std::vector<std::string>> rows;
  for (const std::string& layer : found.float_layers) {
    rows.push_back({layer, "float", sensitivity_of(layer)});
  }
  for (const std::string& layer : found.int8_layers) {
    rows.push_back({layer, "int8", sensitivity_of(layer)});
  }
  report::HtmlReport page("Quantisation: " + context.spec.name);
  page.facts({{"weight bytes", fmt::format("{}", cost.weight_bytes)},
              {"layers in int8", fmt::format("{}", found.int8_layers.size())},
              {"layers in float", fmt::format("{}", found.float_layers.size())}})
      .section("Layers")
      .table({"layer", "computes in", "signal to error when alone in int8, dB"}, rows)
      .write(context.folder / "report.html");
}

}  // namespace

void run_quantise_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model", "calibration"});
  const auto options = context.options<compress::QuantiseOptions>();
  const graph::Model before = graph::load_onnx(context.input("model"));
  const auto dataset = data::open_version(context.input("calibration"));
  check_model_fits(before, dataset->schema(), "model");
  compress::QuantiseReport found;
  graph::Model after =
      compress::quantise(before, first_samples(*dataset, options.samples), options, &found);
  add_lineage(context, before, after);

  const graph::Cost cost = graph::cost(after);
  graph::save_onnx(after, context.folder / "model.onnx");
  std::map<std::string, double> figures{
      {"macs", static_cast<double>(cost.macs)},
      {"weight_bytes_before", static_cast<double>(graph::cost(before).weight_bytes)},
      {"weight_bytes", static_cast<double>(cost.weight_bytes)},
      {"file_bytes",
       static_cast<double>(std::filesystem::file_size(context.folder / "model.onnx"))},
      {"calibration_samples", static_cast<double>(std::min(options.samples, dataset->size()))},
      {"int8_layers", static_cast<double>(found.int8_layers.size())},
      {"float_layers", static_cast<double>(found.float_layers.size())},
      {"equalised_pairs", static_cast<double>(found.equalised_pairs)},
      {"seconds", watch.seconds()}};
  for (const compress::LayerSensitivity& layer : found.sensitivity) {
    figures["sqnr_db." + layer.layer] = layer.sqnr_db;
  }
  write_page(context, found, cost);
  context.write_summary(figures);
}

}  // namespace coppice::train
