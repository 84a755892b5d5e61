#include "train/integer_network.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/round.h>

#include "runtime/model_index.h"
#include "runtime/quantised.h"
#include "train/lowering/lowering.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;

/// Integers of a magnitude below this are exact floats, and so are their sums in any order.
constexpr double kExactFloats = 1 << 24;
constexpr double kLargestByte = 255;

struct IntegerLayer {
  runtime::QuantisedLayer layer;
  at::Tensor weight;  ///< in float where that is exact, in double where sums may be larger
  at::Tensor bias;    ///< [channels] in the shape of the output's dimension
  at::Tensor multipliers;
};

struct IntegerStep {
  const Node* node = nullptr;
  std::optional<IntegerLayer> layer = {};
  std::vector<std::string> inputs = {};
  std::vector<std::string> forgets = {};  ///< values that nobody reads after this one
};

IntegerLayer prepare(runtime::QuantisedLayer layer) {
  const bool is_image = layer.layer->op == Op::Conv;
  const auto per_channel = [&](const std::vector<float>& values) {
    const at::Tensor row =
        to_aten(graph::Tensor::from<float>({static_cast<int64_t>(values.size())}, values)).clone();
    return is_image ? row.view({-1, 1, 1}) : row;
  };
  IntegerLayer result;
  result.bias = per_channel(layer.bias);
  result.multipliers = per_channel(layer.multipliers);
  const at::Tensor weight = to_aten(layer.weight).to(at::kDouble);
  const double largest = weight.abs().reshape({weight.size(0), -1}).sum(1).max().item<double>();
  result.weight = largest * kLargestByte < kExactFloats ? weight.to(at::kFloat) : weight;
  result.layer = std::move(layer);
  return result;
}

at::Tensor sums_of(const IntegerLayer& layer, const at::Tensor& x) {
  const at::Tensor integers =
      (x.to(at::kFloat) - layer.layer.input_quantisation.zero_point).to(layer.weight.scalar_type());
  if (layer.layer.layer->op == Op::Gemm) {
    return at::linear(integers, layer.weight);
  }
  const auto& a = layer.layer.layer->as<graph::ConvAttributes>();
  const at::Tensor padded =
      at::constant_pad_nd(integers, {a.pads[1], a.pads[3], a.pads[0], a.pads[2]});
  return at::conv2d(
      padded, layer.weight, {}, a.stride, at::IntArrayRef{0, 0}, a.dilation, a.groups);
}

/// a * b + c, rounded once: the product of a byte and a float is exact in double, and so is the sum
/// of numbers as near to each other as these.
at::Tensor fused_multiply_add(const at::Tensor& a, double b, const at::Tensor& c) {
  return (a.to(at::kDouble) * b + c.to(at::kDouble)).to(at::kFloat);
}

at::Tensor run_layer(const IntegerLayer& integers, const std::vector<at::Tensor>& inputs) {
  const runtime::QuantisedLayer& layer = integers.layer;
  at::Tensor value =
      (sums_of(integers, inputs[0]).to(at::kFloat) + integers.bias) * integers.multipliers;
  if (inputs.size() > 1) {
    const at::Tensor added = inputs[1].to(at::kFloat) - layer.residual_quantisation.zero_point;
    value = fused_multiply_add(added, layer.residual_multiplier, value);
  }
  if (layer.relu) {
    value = value.clamp(0, layer.ceiling);
  }
  if (layer.output->dtype == DType::F32) {
    return value;
  }
  const bool is_signed = layer.output->dtype == DType::I8;
  return (value.round() + layer.output_zero_point)
      .clamp(is_signed ? -128 : 0, is_signed ? 127 : 255);
}

bool is_mean(Op op) {
  return op == Op::AveragePool || op == Op::GlobalAveragePool || op == Op::ReduceMean;
}

at::Tensor run_node(const Node& node, std::vector<at::Tensor> inputs) {
  if (is_mean(node.op)) {
    inputs[0] = inputs[0].to(at::kDouble);
    return lower({.node = node, .inputs = inputs}).to(at::kFloat);
  }
  return lower({.node = node, .inputs = inputs});
}

}  // namespace

struct IntegerNetwork::State {
  explicit State(const graph::Model& given) : model(runtime::keep_quantised(given)), index(model) {}

  void plan();

  graph::Model model;
  runtime::ModelIndex index;
  std::map<std::string, at::Tensor> constants;
  std::vector<IntegerStep> steps;
};

/// From the output backwards, so that what a layer absorbs gets no step.
void IntegerNetwork::State::plan() {
  std::set<std::string> needed{model.graph.outputs.front()};
  std::set<std::string> read = needed;
  for (auto node = model.graph.nodes.rbegin(); node != model.graph.nodes.rend(); ++node) {
    if (!needed.contains(node->name) || node->op == Op::Input || index.is_constant(node->name)) {
      continue;
    }
    IntegerStep step{.node = &*node, .inputs = node->inputs};
    if (auto layer = runtime::match_quantised_layer(index, *node)) {
      step.inputs = {layer->input};
      if (!layer->residual.empty()) {
        step.inputs.push_back(layer->residual);
      }
      step.layer = prepare(*std::move(layer));
    }
    for (const std::string& input : step.inputs) {
      needed.insert(input);
      if (index.is_constant(input)) {
        constants.try_emplace(input, to_aten(index.constant(input)));
      } else if (read.insert(input).second) {
        step.forgets.push_back(input);
      }
    }
    steps.push_back(std::move(step));
  }
  std::reverse(steps.begin(), steps.end());
}

IntegerNetwork::IntegerNetwork(const graph::Model& model) : state_(std::make_unique<State>(model)) {
  const at::NoGradGuard no_grad;
  state_->plan();
}

IntegerNetwork::~IntegerNetwork() = default;

at::Tensor IntegerNetwork::logits(const at::Tensor& input) const {
  const at::NoGradGuard no_grad;
  std::map<std::string, at::Tensor> values{{state_->model.graph.inputs().front()->name, input}};
  for (const IntegerStep& step : state_->steps) {
    std::vector<at::Tensor> inputs;
    for (const std::string& name : step.inputs) {
      const auto constant = state_->constants.find(name);
      inputs.push_back(constant == state_->constants.end() ? values.at(name) : constant->second);
    }
    values[step.node->name] =
        step.layer ? run_layer(*step.layer, inputs) : run_node(*step.node, std::move(inputs));
    for (const std::string& name : step.forgets) {
      values.erase(name);
    }
  }
  return values.at(state_->model.graph.outputs.front());
}

}  // namespace coppice::train
