#include "compress/quantise.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "compress/bias_correction.h"
#include "compress/calibrate.h"
#include "compress/calibrations.h"
#include "compress/equalise.h"
#include "compress/qdq.h"
#include "core/error.h"
#include "graph/pass.h"

namespace coppice::compress {

namespace {

[[noreturn]] void refuse_quantising(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "quantise: " + message);
}

void check(const QuantiseOptions& options) {
  calibrations().get(options.calibration);
  if (!(options.percentile > 0 && options.percentile <= 100)) {
    refuse_quantising(fmt::format("percentile is {}, it must lie in (0, 100]", options.percentile));
  }
  if (options.samples < 1) {
    refuse_quantising("samples must be at least 1");
  }
}

/// Activations tell of what is not finite before them; nobody looks at those of the last layer.
void check_parameters(const graph::Model& model, const graph::Node& node) {
  if (node.op != graph::Op::Conv && node.op != graph::Op::Gemm && node.op != graph::Op::BatchNorm) {
    return;
  }
  for (const std::string& name : node.inputs) {
    if (!model.is_weight(name) || model.weight(name).dtype() != graph::DType::F32) {
      continue;
    }
    const auto values = model.weight(name).data<float>();
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
      throw core::Error(core::ErrorKind::Numeric,
                        "quantise: the values of '" + name + "' are not finite");
    }
  }
}

void check(const graph::Model& model, const graph::Tensor& samples) {
  for (const graph::Node& node : model.graph.nodes) {
    if (node.op == graph::Op::QuantizeLinear || node.op == graph::Op::DequantizeLinear) {
      refuse_quantising("the model is quantised already (node '" + node.name + "')");
    }
    check_parameters(model, node);
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
      {.help = "how activation ranges are chosen: all values, a percentile of them, least squared "
               "error, or least loss of information",
       .choices = calibrations().names()});
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
  f.field("equalise",
          equalise,
          {.help = "even out the channels of layers that follow each other before quantising"});
  f.field("absorb_biases",
          absorb_biases,
          {.help = "with equalise: move large biases on into the next layer, where BN tells them"});
  f.field("replace_relu6",
          replace_relu6,
          {.help = "with equalise: make ReLU6 a ReLU, which lets channels be evened out through it "
                   "but changes what exceeds 6"});
  f.field("per_channel",
          per_channel,
          {.help = "a scale of weights for each output channel; false: one for each layer"});
  f.field("float_layers", float_layers, {.help = "names of Conv and Gemm nodes that stay float"});
  f.group("mixed", mixed, "which sensitive layers stay float");
}

void check_quantisable(const graph::Model& model,
                       const graph::Tensor& samples,
                       const QuantiseOptions& options) {
  check(options);
  check(model, samples);
}

graph::Model quantise(const graph::Model& model,
                      const graph::Tensor& samples,
                      const QuantiseOptions& options,
                      QuantiseReport* report) {
  check_quantisable(model, samples, options);
  QuantiseReport found;
  graph::Model folded = options.equalise ? fold_and_equalise(model, options, &found.equalised_pairs)
                                         : graph::run_passes(model, graph::inference_passes());
  const graph::Tensor calibration = front(samples, options.samples);
  PlanOptions planning = plan_options(options);
  planning.float_layers = found.float_layers = all_float_layers(
      folded, front(calibration, options.mixed.samples), options, &found.sensitivity);
  const QdqPlan plan = plan_qdq(folded, planning);
  if (plan.layers.empty()) {
    refuse_quantising("the model has no Conv or Gemm to quantise");
  }
  found.int8_layers = plan.layers;
  const auto ranges = calibrate(folded, plan, calibration, options);
  if (options.bias_correction) {
    folded = correct_biases(with_own_biases(std::move(folded), plan), plan, ranges, calibration);
  }
  if (report != nullptr) {
    *report = std::move(found);
  }
  return insert_qdq(folded, plan, ranges);
}

}  // namespace coppice::compress
