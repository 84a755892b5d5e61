#include "compress/quantise.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "compress/bias_correction.h"
#include "compress/calibrate.h"
#include "compress/qdq.h"
#include "core/error.h"
#include "graph/pass.h"

namespace coppice::compress {

namespace {

const std::vector<std::string> kCalibrations{"min_max", "mse", "percentile"};

[[noreturn]] void refuse_quantising(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "quantise: " + message);
}

void check(const QuantiseOptions& options) {
  if (std::find(kCalibrations.begin(), kCalibrations.end(), options.calibration) ==
      kCalibrations.end()) {
    throw core::Error(core::ErrorKind::NotFound,
                      "quantise: unknown calibration '" + options.calibration + "'" +
                          core::did_you_mean(options.calibration, kCalibrations));
  }
  if (!(options.percentile > 0 && options.percentile <= 100)) {
    refuse_quantising(fmt::format("percentile is {}, it must lie in (0, 100]", options.percentile));
  }
  if (options.samples < 1) {
    refuse_quantising("samples must be at least 1");
  }
}

void check(const graph::Model& model, const graph::Tensor& samples) {
  for (const graph::Node& node : model.graph.nodes) {
    if (node.op == graph::Op::QuantizeLinear || node.op == graph::Op::DequantizeLinear) {
      refuse_quantising("the model is quantised already (node '" + node.name + "')");
    }
  }
  const auto inputs = model.graph.inputs();
  if (inputs.size() != 1) {
    refuse_quantising(
        fmt::format("the model has {} inputs, calibration feeds exactly 1", inputs.size()));
  }
  graph::Shape expected = inputs[0]->shape;
  const graph::Shape& given = samples.shape();
  expected[0] = given.empty() ? 0 : given[0];
  if (samples.empty() || given != expected || samples.dtype() != inputs[0]->dtype) {
    refuse_quantising(
        fmt::format("samples are {} {}, input '{}' takes {} {} and at least one sample",
                    to_string(samples.dtype()),
                    graph::to_string(given),
                    inputs[0]->name,
                    to_string(inputs[0]->dtype),
                    graph::to_string(inputs[0]->shape)));
  }
}

/// The first `count` samples, sharing their bytes.
graph::Tensor front(const graph::Tensor& samples, int64_t count) {
  graph::Shape shape = samples.shape();
  shape[0] = std::min(shape[0], count);
  return {samples.dtype(), shape, samples.shared_bytes()};
}

}  // namespace

void QuantiseOptions::visit(core::Fields& f) {
  f.field(
      "calibration",
      calibration,
      {.help = "how activation ranges are chosen: all values, a percentile, or least squared error",
       .choices = kCalibrations});
  f.field("percentile",
          percentile,
          {.help = "of activations kept inside the range", .unit = "%", .min = 50, .max = 100});
  f.field("samples", samples, {.help = "calibration samples taken from the front", .min = 1});
  f.field("bias_correction",
          bias_correction,
          {.help = "take the mean error of each channel out of the biases"});
  f.field("round_sums",
          round_sums,
          {.help = "round both inputs of an Add, for runtimes that add integers only"});
}

graph::Model quantise(const graph::Model& model,
                      const graph::Tensor& samples,
                      const QuantiseOptions& options) {
  check(options);
  check(model, samples);
  graph::Model folded = graph::run_passes(model, graph::inference_passes());
  const QdqPlan plan = plan_qdq(folded, options.round_sums);
  if (plan.layers.empty()) {
    refuse_quantising("the model has no Conv or Gemm to quantise");
  }
  const graph::Tensor calibration = front(samples, options.samples);
  const auto ranges = calibrate(folded, plan, calibration, options);
  if (options.bias_correction) {
    folded = correct_biases(with_own_biases(std::move(folded), plan), plan, ranges, calibration);
  }
  return insert_qdq(folded, plan, ranges);
}

}  // namespace coppice::compress
