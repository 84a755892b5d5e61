#include "train/network.h"

#include <limits>
#include <set>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>

#include "core/error.h"
#include "train/parameter.h"
#include "train/plan.h"
#include "train/qat/fake_quantise.h"
#include "train/tensor_bridge.h"
#include "train/trained_weights.h"
#include "train/walk.h"

namespace coppice::train {

namespace {
constexpr double kLargestInteger = 127;  // of a weight
constexpr double kLeastWeightScale = std::numeric_limits<float>::min();
}  // namespace

struct Network::State {
  graph::Model model;
  Precision precision = Precision::Single;
  at::Device device = at::Device(at::kCPU);
  std::vector<Step> steps;
  std::map<std::string, at::Tensor> weights;
  std::vector<Parameter> parameters;
  std::map<std::string, std::string> rounded;  ///< weight → its scales, "" where they follow it

  at::ScalarType real() const { return precision == Precision::Double ? at::kDouble : at::kFloat; }

  at::ScalarType products() const { return precision == Precision::Mixed ? at::kBFloat16 : real(); }

  void take_weights();
  at::Tensor own_copy(const graph::Tensor& tensor) const;
  at::Tensor scales_of(const std::string& weight) const;
  std::map<std::string, at::Tensor> weights_of_forward() const;
  void learn(const std::string& scale);
  void find_parameters();
};

void Network::State::take_weights() {
  for (auto& [name, tensor] : model.weights) {
    tensor = tensor.clone();
    weights[name] = own_copy(tensor);
  }
}

/// Shares the tensor's memory where dtype and device allow.
at::Tensor Network::State::own_copy(const graph::Tensor& tensor) const {
  at::Tensor view = to_aten(tensor);
  const bool widen = precision == Precision::Double && tensor.dtype() == graph::DType::F32;
  return (widen ? view.to(at::kDouble) : view).to(device);
}

/// One for each output channel, as the int8 model will have them.
at::Tensor Network::State::scales_of(const std::string& weight) const {
  const std::string& stored = rounded.at(weight);
  if (!stored.empty()) {
    return weights.at(stored);
  }
  const at::NoGradGuard no_grad;
  const at::Tensor& values = weights.at(weight);
  const at::Tensor largest = values.reshape({values.size(0), -1}).abs().amax(1);
  const at::Tensor scales = largest / kLargestInteger;
  return scales.masked_fill(scales < kLeastWeightScale, 1);
}

std::map<std::string, at::Tensor> Network::State::weights_of_forward() const {
  std::map<std::string, at::Tensor> result = weights;
  for (const auto& [name, stored] : rounded) {
    at::Tensor& weight = result.at(name);
    const int64_t row = weight.numel() / weight.size(0);
    weight = fake_quantise(weight,
                           scales_of(name),
                           {.low = -kLargestInteger,
                            .high = kLargestInteger,
                            .scale_gradient = lsq_gradient(row, kLargestInteger)});
  }
  return result;
}

void Network::State::learn(const std::string& scale) {
  weights.at(scale).requires_grad_();
  parameters.push_back({scale, ParameterKind::Scale, weights.at(scale)});
}

void Network::State::find_parameters() {
  for (auto& [name, kind] : trained_weights(model)) {
    weights.at(name).requires_grad_();
    parameters.push_back({name, kind, weights.at(name)});
  }
}

Network::Network(graph::Model model, Precision precision, at::Device device)
    : state_(std::make_unique<State>()) {
  graph::infer_shapes(model);
  graph::verify(model);
  state_->model = std::move(model);
  state_->precision = precision;
  state_->device = device;
  state_->steps = plan_steps(state_->model);
  state_->take_weights();
  state_->find_parameters();
}

Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

Activations Network::forward(const at::Tensor& input, const ForwardOptions& options) {
  const auto inputs = state_->model.graph.inputs();
  if (inputs.size() != 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "model '" + state_->model.metadata.name + "' has " +
                          std::to_string(inputs.size()) + " inputs; pass them by name");
  }
  return forward(std::map<std::string, at::Tensor>{{inputs[0]->name, input}}, options);
}

Activations Network::forward(const std::map<std::string, at::Tensor>& inputs,
                             const ForwardOptions& options) {
  std::map<std::string, at::Tensor> rounded;
  if (!state_->rounded.empty()) {
    rounded = state_->weights_of_forward();
  }
  return walk({.graph = state_->model.graph,
               .steps = state_->steps,
               .weights = state_->rounded.empty() ? state_->weights : rounded,
               .real = state_->real(),
               .products = options.training ? state_->products() : state_->real(),
               .device = state_->device},
              inputs,
              options);
}

at::Tensor Network::logits(const at::Tensor& input, const ForwardOptions& options) {
  return forward(input, options).at(state_->model.graph.outputs.front());
}

void Network::round_weights(const std::map<std::string, graph::Tensor>& scales, bool learn_scales) {
  std::set<std::string> learning;
  for (const auto& [weight, scale] : scales) {
    if (!state_->weights.contains(weight)) {
      throw core::Error(core::ErrorKind::NotFound,
                        "the network has no weight '" + weight + "' to round");
    }
    std::string& name = state_->rounded[weight];
    if (learn_scales) {
      name = weight + ".learned_scale";
      state_->model.weights[name] = scale.clone();
      state_->weights[name] = state_->own_copy(state_->model.weights[name]);
      state_->learn(name);
    }
  }
  for (const graph::Node& node : state_->model.graph.nodes) {
    if (learn_scales && node.op == graph::Op::QuantizeLinear &&
        learning.insert(node.inputs[1]).second) {
      state_->learn(node.inputs[1]);
    }
  }
}

std::map<std::string, graph::Tensor> Network::weight_scales() const {
  std::map<std::string, graph::Tensor> scales;
  for (const auto& [weight, stored] : state_->rounded) {
    scales[weight] = to_graph(state_->scales_of(weight).detach().to(at::kFloat)).clone();
  }
  return scales;
}

void Network::keep_scales_positive() {
  const at::NoGradGuard no_grad;
  for (const Parameter& p : state_->parameters) {
    if (p.kind == ParameterKind::Scale) {
      p.value.detach().clamp_(std::numeric_limits<float>::epsilon());
    }
  }
}

const std::vector<Parameter>& Network::parameters() const {
  return state_->parameters;
}

const std::map<std::string, at::Tensor>& Network::weights() const {
  return state_->weights;
}

void Network::clear_gradients() {
  for (const Parameter& parameter : state_->parameters) {
    parameter.value.mutable_grad().reset();
  }
}

void Network::load_weights(const graph::Weights& weights) {
  const at::NoGradGuard no_grad;
  for (auto& [name, ours] : state_->weights) {
    const auto given = weights.find(name);
    if (given == weights.end() || weights.size() != state_->weights.size() ||
        given->second.dtype() != state_->model.weight(name).dtype() ||
        given->second.shape() != state_->model.weight(name).shape()) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "the weights are of another network: '" + name + "' does not fit");
    }
    ours.copy_(to_aten(given->second));
  }
}

graph::Model Network::to_model() const {
  graph::Model copy = state_->model;
  for (auto& [name, tensor] : copy.weights) {
    const bool narrow =
        state_->precision == Precision::Double && tensor.dtype() == graph::DType::F32;
    const at::Tensor& ours = state_->weights.at(name);
    if (narrow || !ours.is_cpu()) {
      tensor = to_graph(narrow ? ours.to(at::kFloat) : ours);
    } else {
      tensor = tensor.clone();
    }
  }
  return copy;
}

const graph::Graph& Network::graph() const {
  return state_->model.graph;
}

const graph::Metadata& Network::metadata() const {
  return state_->model.metadata;
}

}  // namespace coppice::train
