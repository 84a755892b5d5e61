#include "train/network.h"

#include <set>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "train/parameter.h"
#include "train/plan.h"
#include "train/tensor_bridge.h"
#include "train/walk.h"

namespace coppice::train {

struct Network::State {
  graph::Model model;
  Precision precision = Precision::Single;
  at::Device device = at::Device(at::kCPU);
  std::vector<Step> steps;
  std::map<std::string, at::Tensor> weights;
  std::vector<Parameter> parameters;

  at::ScalarType real() const { return precision == Precision::Double ? at::kDouble : at::kFloat; }

  at::ScalarType products() const { return precision == Precision::Mixed ? at::kBFloat16 : real(); }

  void take_weights();
  void find_parameters();
};

void Network::State::take_weights() {
  for (auto& [name, tensor] : model.weights) {
    tensor = tensor.clone();
    at::Tensor view = to_aten(tensor);
    const bool widen = precision == Precision::Double && tensor.dtype() == graph::DType::F32;
    weights[name] = (widen ? view.to(at::kDouble) : view).to(device);
  }
}

void Network::State::find_parameters() {
  std::set<std::string> seen;
  const auto add = [&](const graph::Node& node, size_t input, ParameterKind kind) {
    if (input >= node.inputs.size()) {
      return;
    }
    const std::string& name = node.inputs[input];
    const bool trainable = model.is_weight(name) && model.weight(name).dtype() == graph::DType::F32;
    if (trainable && seen.insert(name).second) {
      weights.at(name).requires_grad_();
      parameters.push_back({name, kind, weights.at(name)});
    }
  };
  for (const graph::Node& node : model.graph.nodes) {
    switch (node.op) {
      case graph::Op::Conv:
      case graph::Op::ConvTranspose:
      case graph::Op::Gemm:
        add(node, 1, ParameterKind::Weight);
        add(node, 2, ParameterKind::Bias);
        break;
      case graph::Op::MatMul:
        add(node, 1, ParameterKind::Weight);
        break;
      case graph::Op::Lstm:
      case graph::Op::Gru:
        add(node, 1, ParameterKind::Weight);
        add(node, 2, ParameterKind::Weight);
        add(node, 3, ParameterKind::Bias);
        break;
      case graph::Op::BatchNorm:
      case graph::Op::LayerNorm:
        add(node, 1, ParameterKind::NormScale);
        add(node, 2, ParameterKind::NormShift);
        break;
      case graph::Op::PRelu:
        add(node, 1, ParameterKind::Bias);
        break;
      case graph::Op::Add:  // the bias of a linear layer over time
        for (const size_t side : {size_t{0}, size_t{1}}) {
          const graph::Node* other = model.graph.find(node.inputs[1 - side]);
          if (other != nullptr && other->op == graph::Op::MatMul) {
            add(node, side, ParameterKind::Bias);
          }
        }
        break;
      default:
        break;
    }
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
  return walk({.graph = state_->model.graph,
               .steps = state_->steps,
               .weights = state_->weights,
               .real = state_->real(),
               .products = options.training ? state_->products() : state_->real(),
               .device = state_->device},
              inputs,
              options);
}

at::Tensor Network::logits(const at::Tensor& input, const ForwardOptions& options) {
  return forward(input, options).at(state_->model.graph.outputs.front());
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
