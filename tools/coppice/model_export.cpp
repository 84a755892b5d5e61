#include "coppice/model_export.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compress/quantise.h"
#include "coppice/model_export_write.h"
#include "coppice/model_samples.h"
#include "coppice/model_source.h"
#include "core/error.h"
#include "graph/cost.h"
#include "report/figure.h"
#include "report/html.h"

namespace coppice::tools {

namespace {

constexpr int64_t kRandomSamples = 64;

graph::Model in_int8(const OpenedModel& opened, const std::string& calibrate) {
  const graph::Node& input = only_input(opened.model);
  if (calibrate == "random") {
    const auto samples = random_samples(input, kRandomSamples, static_cast<uint64_t>(opened.seed));
    return compress::quantise(opened.model, samples, opened.quantise);
  }
  const auto samples = read_samples(calibrate, input, opened.quantise.samples);
  return compress::quantise(opened.model, samples.values, opened.quantise);
}

nlohmann::ordered_json description(const graph::Model& model, bool int8) {
  const graph::Cost cost = graph::cost(model);
  return {{"name", model.metadata.name},
          {"task", model.metadata.task},
          {"hash", graph::content_hash(model)},
          {"int8", int8},
          {"macs", cost.macs},
          {"parameters", cost.parameters},
          {"weight_bytes", cost.weight_bytes},
          {"activation_bytes", cost.activation_bytes}};
}

void check_options(const ModelExportOptions& options) {
  const auto refuse = [](const std::string& why) {
    throw core::Error(core::ErrorKind::InvalidArgument, why);
  };
  if (options.int8 != !options.calibrate.empty()) {
    refuse(options.int8 ? "--int8 needs data to calibrate on: --calibrate DATA, or "
                          "--calibrate random where only the speed counts"
                        : "--calibrate is for --int8");
  }
  if (!options.prefix.empty() && options.format != "c") {
    refuse("--prefix is for --format c");
  }
  if (!options.trainer.empty() && options.format != "torchscript") {
    refuse("--trainer is for --format torchscript");
  }
}

}  // namespace

void export_model(const ModelExportOptions& options) {
  check_options(options);
  OpenedModel opened = open_model(options.source, options.overrides);
  const graph::Model model =
      options.int8 ? in_int8(opened, options.calibrate) : std::move(opened.model);
  const FileWriter& write = file_writers().get(options.format);
  nlohmann::ordered_json described = write(model, options);
  described.update(description(model, options.int8));
  if (options.json) {
    fmt::print("{}\n", described.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : described.items()) {
    rows.push_back({key,
                    value.is_number()   ? report::format_figure(key, value.get<double>())
                    : value.is_string() ? value.get<std::string>()
                                        : value.dump()});
  }
  fmt::print("{}", report::text_table({"", ""}, rows));
}

}  // namespace coppice::tools
