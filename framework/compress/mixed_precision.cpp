#include "compress/mixed_precision.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "compress/calibrate.h"
#include "compress/qdq.h"
#include "compress/quantise.h"
#include "compress/tap.h"
#include "core/error.h"
#include "graph/cost.h"
#include "runtime/profile.h"

namespace coppice::compress {

namespace {

constexpr double kMostDecibels = 200;

std::vector<float> outputs_of(const graph::Model& model, const graph::Tensor& samples) {
  std::vector<float> values;
  run_taps(model, model.graph.outputs, samples, [&](std::span<const graph::Tensor> outputs) {
    for (const graph::Tensor& output : outputs) {
      const auto part = output.data<float>();
      values.insert(values.end(), part.begin(), part.end());
    }
  });
  return values;
}

double sqnr_db(const std::vector<float>& exact, const std::vector<float>& rounded) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const auto value = static_cast<double>(exact[i]);
    const double error = value - static_cast<double>(rounded[i]);
    signal += value * value;
    noise += error * error;
  }
  return noise > 0 && signal > 0 ? std::min(10 * std::log10(signal / noise), kMostDecibels)
                                 : kMostDecibels;
}

std::vector<std::string> all_but(std::vector<std::string> names, const std::string& name) {
  std::erase(names, name);
  return names;
}

/// Median microseconds of a run of one sample by the device engine.
double latency_us(const graph::Model& model) {
  const auto engine = runtime::build_engine(model);
  return runtime::measure_latency(*engine).median_us;
}

}  // namespace

void MixedOptions::visit(core::Fields& f) {
  f.field(
      "budget",
      budget,
      {.help = "what limits the layers that stay float, the most sensitive first: their number, "
               "bytes of all weights, or the latency measured on the device engine",
       .choices = {"none", "layers", "bytes", "latency"}});
  f.field(
      "limit",
      limit,
      {.help = "of the budget", .unit = "layers, bytes or microseconds", .min = 0, .max = 1e15});
  f.field("samples",
          samples,
          {.help = "calibration samples that sensitivities are measured on", .min = 1});
}

std::vector<LayerSensitivity> measure_sensitivity(const graph::Model& folded,
                                                  const graph::Tensor& samples,
                                                  const QuantiseOptions& options) {
  const QdqPlan all = plan_qdq(folded, plan_options(options));
  const std::vector<float> exact = outputs_of(folded, samples);
  std::vector<LayerSensitivity> layers;
  for (const std::string& layer : all.layers) {
    PlanOptions alone = plan_options(options);
    const auto others = all_but(all.layers, layer);
    alone.float_layers.insert(alone.float_layers.end(), others.begin(), others.end());
    const QdqPlan plan = plan_qdq(folded, alone);
    const auto ranges = calibrate(folded, plan, samples, options);
    const graph::Model rounded = insert_qdq(folded, plan, ranges);
    layers.push_back({layer, sqnr_db(exact, outputs_of(rounded, samples))});
  }
  std::stable_sort(layers.begin(), layers.end(), [](const auto& a, const auto& b) {
    return a.sqnr_db < b.sqnr_db;
  });
  return layers;
}

std::vector<std::string> choose_float_layers(
    const std::vector<LayerSensitivity>& layers,
    double limit,
    const std::function<double(const std::vector<std::string>&)>& cost) {
  std::vector<std::string> chosen;
  const double least = cost(chosen);
  if (least > limit) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("quantise: mixed.limit is {}, but the model costs {} with every "
                                  "layer in int8; raise the limit or prune first",
                                  limit,
                                  least));
  }
  for (const LayerSensitivity& layer : layers) {
    chosen.push_back(layer.layer);
    if (cost(chosen) > limit) {
      chosen.pop_back();
    }
  }
  return chosen;
}

std::vector<std::string> all_float_layers(const graph::Model& folded,
                                          const graph::Tensor& samples,
                                          const QuantiseOptions& options,
                                          std::vector<LayerSensitivity>* sensitivity) {
  std::vector<std::string> named = options.float_layers;
  if (options.mixed.budget == "none") {
    return named;
  }
  const auto layers = measure_sensitivity(folded, samples, options);
  if (sensitivity != nullptr) {
    *sensitivity = layers;
  }
  const auto with = [&](const std::vector<std::string>& more) {
    PlanOptions plan = plan_options(options);
    plan.float_layers.insert(plan.float_layers.end(), more.begin(), more.end());
    return plan;
  };
  const auto cost = [&](const std::vector<std::string>& more) {
    if (options.mixed.budget == "layers") {
      return static_cast<double>(more.size());
    }
    const QdqPlan plan = plan_qdq(folded, with(more));
    const auto ranges = calibrate(folded, plan, samples, options);
    const graph::Model model = insert_qdq(folded, plan, ranges);
    return options.mixed.budget == "bytes" ? static_cast<double>(graph::cost(model).weight_bytes)
                                           : latency_us(model);
  };
  const auto chosen = choose_float_layers(layers, options.mixed.limit, cost);
  if (chosen.size() == layers.size()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("quantise: mixed.limit is {}, which leaves all {} layers in "
                                  "float; lower it or ship the float model",
                                  options.mixed.limit,
                                  layers.size()));
  }
  named.insert(named.end(), chosen.begin(), chosen.end());
  return named;
}

}  // namespace coppice::compress
