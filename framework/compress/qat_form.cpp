#include "compress/qat_form.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/calibrate.h"
#include "compress/qdq.h"
#include "compress/tap.h"
#include "core/error.h"
#include "graph/pass.h"

namespace coppice::compress {

using graph::Model;
using graph::Node;
using graph::Op;
using graph::Tensor;

namespace {

/// The node of `model` that computes what `name` does in its folded form: the BN behind a layer
/// that it was folded into.
std::string unfolded_output(const Model& model, const Model& folded, const std::string& name) {
  const auto consumers = model.graph.consumers(name);
  const bool into_norm = consumers.size() == 1 && consumers[0]->op == Op::BatchNorm &&
                         folded.graph.find(consumers[0]->name) == nullptr;
  return into_norm ? consumers[0]->name : name;
}

/// The BN that was folded into a layer of the folded form, or nullptr. One that is an output of the
/// model gave the layer its name.
const Node* folded_norm(const Model& model, const Model& folded, const std::string& layer) {
  const Node& node = model.graph.at(unfolded_output(model, folded, layer));
  return node.op == Op::BatchNorm ? &node : nullptr;
}

const Node& unfolded_layer(const Model& model, const Model& folded, const std::string& layer) {
  const Node* norm = folded_norm(model, folded, layer);
  return model.graph.at(norm != nullptr ? norm->inputs[0] : layer);
}

/// What BN multiplies each channel with.
std::vector<double> norm_factors(const Model& model, const Node& norm) {
  const auto scale = model.weight(norm.inputs[1]).data<float>();
  const auto variance = model.weight(norm.inputs[4]).data<float>();
  const double epsilon = norm.as<graph::BatchNormAttributes>().epsilon;
  std::vector<double> factors;
  for (size_t c = 0; c < scale.size(); ++c) {
    factors.push_back(scale[c] / std::sqrt(variance[c] + epsilon));
  }
  return factors;
}

float first_weight_scale(std::span<const float> row, FirstScales first) {
  double largest = 0;
  double sum = 0;
  for (const float value : row) {
    largest = std::max(largest, std::abs(static_cast<double>(value)));
    sum += std::abs(static_cast<double>(value));
  }
  const double scale = first == FirstScales::Calibrated
                           ? largest / 127
                           : 2 * sum / static_cast<double>(row.size()) / std::sqrt(127.0);
  return scale < std::numeric_limits<float>::min() ? 1.0F : static_cast<float>(scale);
}

/// Scales of 2 mean|v| / sqrt(levels) in place of the calibrated ones.
void take_lsq_ranges(const Model& folded,
                     const Tensor& samples,
                     std::map<std::string, ActivationRange>& ranges) {
  std::vector<std::string> nodes;
  for (const auto& [name, range] : ranges) {
    nodes.push_back(name);
  }
  std::vector<double> sums(nodes.size());
  std::vector<double> counts(nodes.size());
  run_taps(folded, nodes, samples, [&](std::span<const Tensor> outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      for (const float value : outputs[i].data<float>()) {
        sums[i] += std::abs(static_cast<double>(value));
      }
      counts[i] += static_cast<double>(outputs[i].size());
    }
  });
  for (size_t i = 0; i < nodes.size(); ++i) {
    ActivationRange& range = ranges.at(nodes[i]);
    const auto levels = static_cast<double>(range.levels());
    const double limit = 2 * sums[i] / counts[i] / std::sqrt(levels) * levels;
    range.limit = limit > 0 ? limit : range.limit;
  }
}

/// Without (de)quantisation of activations; what it meant goes to `ranges`, by the name of what
/// was quantised.
Model without_qdq(const Model& form, std::map<std::string, ActivationRange>& ranges) {
  Model plain = form;
  plain.graph.nodes.clear();
  std::map<std::string, std::string> source;  // of a node that is left out
  for (const Node& node : form.graph.nodes) {
    Node copy = node;
    for (std::string& input : copy.inputs) {
      if (const auto it = source.find(input); it != source.end()) {
        input = it->second;
      }
    }
    if (node.op == Op::QuantizeLinear) {
      ActivationRange range{.is_signed = node.dtype == graph::DType::I8, .limit = 1};
      const double scale = form.weight(node.inputs[1]).data<float>()[0];
      range.limit = scale * static_cast<double>(range.levels());
      ranges[copy.inputs[0]] = range;
    }
    if (node.op == Op::QuantizeLinear || node.op == Op::DequantizeLinear) {
      source[node.name] = copy.inputs[0];
    } else {
      plain.graph.nodes.push_back(std::move(copy));
    }
  }
  std::vector<std::unique_ptr<graph::Pass>> passes;
  passes.push_back(graph::make_remove_unused());
  graph::infer_shapes(plain);
  return graph::run_passes(std::move(plain), passes);
}

/// What a weight rounds to, and what that is behind a BN with these factors (none: []).
QuantisedWeight fold_rounded(const Tensor& weight,
                             const Tensor& scales,
                             const std::vector<double>& factors) {
  QuantisedWeight folded{Tensor(graph::DType::I8, weight.shape()), {}};
  const auto row = static_cast<size_t>(weight.size() / weight.dim(0));
  const auto values = weight.data<float>();
  const auto out = folded.integers.data<int8_t>();
  for (size_t c = 0; c < static_cast<size_t>(scales.size()); ++c) {
    const float scale = scales.data<float>()[c];
    const double factor = factors.empty() ? 1 : factors[c];
    const auto folded_scale = static_cast<float>(static_cast<double>(scale) * std::abs(factor));
    const bool vanishes = folded_scale < std::numeric_limits<float>::min();
    const float sign = vanishes ? 0.0F : (factor < 0 ? -1.0F : 1.0F);
    for (size_t i = c * row; i < (c + 1) * row; ++i) {
      out[i] =
          static_cast<int8_t>(sign * std::clamp(std::nearbyint(values[i] / scale), -127.F, 127.F));
    }
    folded.scales.push_back(vanishes ? 1.0F : folded_scale);
  }
  return folded;
}

void check_for_training(const QuantiseOptions& options) {
  if (options.equalise || options.bias_correction || !options.per_channel ||
      options.mixed.budget != "none") {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "quantise: training with quantisation takes neither equalise, "
                      "bias_correction, mixed nor weights with one scale for each layer");
  }
}

}  // namespace

QatForm make_qat_form(const Model& model,
                      const Tensor& samples,
                      const QuantiseOptions& options,
                      FirstScales first) {
  check_for_training(options);
  check_quantisable(model, samples, options);
  const Model folded = graph::run_passes(model, graph::inference_passes());
  const QdqPlan plan = plan_qdq(folded, plan_options(options));
  if (plan.layers.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "quantise: the model has no Conv or Gemm to quantise");
  }
  auto ranges = calibrate(folded, plan, samples, options);
  if (first == FirstScales::Lsq) {
    take_lsq_ranges(folded, samples, ranges);
  }
  QdqPlan activations;
  std::map<std::string, ActivationRange> own_ranges;
  for (const auto& [name, owner] : plan.scale_of) {
    const std::string own = unfolded_output(model, folded, owner);
    activations.scale_of[unfolded_output(model, folded, name)] = own;
    own_ranges[own] = ranges.at(owner);
  }
  QatForm form{.model = insert_qdq(model, activations, own_ranges), .weights = {}};
  for (const std::string& name : plan.layers) {
    const Node& layer = unfolded_layer(model, folded, name);
    const Tensor& weight = model.weight(layer.inputs[1]);
    if (model.graph.consumers(layer.inputs[1]).size() > 1) {
      throw core::Error(core::ErrorKind::Unsupported,
                        "quantise: layers share the weight '" + layer.inputs[1] +
                            "'; give each its own before training with quantisation");
    }
    const auto row = static_cast<size_t>(weight.size() / weight.dim(0));
    std::vector<float> scales;
    for (int64_t c = 0; c < weight.dim(0); ++c) {
      scales.push_back(first_weight_scale(
          weight.data<float>().subspan(static_cast<size_t>(c) * row, row), first));
    }
    form.weights[layer.inputs[1]] = Tensor::from<float>({weight.dim(0)}, scales);
  }
  return form;
}

Model finish_qat_form(const Model& form,
                      const std::map<std::string, Tensor>& weights,
                      const QuantiseOptions& options) {
  std::map<std::string, ActivationRange> own_ranges;
  const Model plain = without_qdq(form, own_ranges);
  const Model folded = graph::run_passes(plain, graph::inference_passes());
  const QdqPlan plan = plan_qdq(folded, plan_options(options));
  std::map<std::string, ActivationRange> ranges;
  for (const auto& [name, owner] : plan.scale_of) {
    ranges[owner] = own_ranges.at(unfolded_output(plain, folded, owner));
  }
  std::map<std::string, QuantisedWeight> rounded;
  for (const std::string& name : plan.layers) {
    const Node& layer = unfolded_layer(plain, folded, name);
    const Node* norm = folded_norm(plain, folded, name);
    rounded[name] =
        fold_rounded(plain.weight(layer.inputs[1]),
                     weights.at(layer.inputs[1]),
                     norm != nullptr ? norm_factors(plain, *norm) : std::vector<double>{});
  }
  return insert_qdq(folded, plan, ranges, rounded);
}

}  // namespace coppice::compress
