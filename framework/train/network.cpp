#include "train/network.h"

#include <set>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "core/rng.h"
#include "train/lowering/lowering.h"
#include "train/parameter.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

/// Where an argument of a node comes from.
struct Source {
  size_t step = 0;  ///< of an earlier node; ignored for a weight
  const at::Tensor* weight = nullptr;
};

/// A node and what the walk through the graph must know of it.
struct Step {
  std::vector<Source> sources;
  std::vector<size_t> last_reader_of;  ///< nodes whose values nobody needs after this one
  size_t readers = 0;
  bool is_output = false;
};

/// Whether an op's output is memory of its own that its backward does not read.
bool makes_fresh_output(graph::Op op) {
  return op == graph::Op::BatchNorm || op == graph::Op::Conv || op == graph::Op::Gemm ||
         op == graph::Op::Add;
}

}  // namespace

struct Network::State {
  graph::Model model;
  Precision precision;
  std::map<std::string, at::Tensor> weights;
  std::map<std::string, size_t> index;
  std::vector<Step> steps;
  std::vector<Parameter> parameters;

  at::ScalarType real() const { return precision == Precision::Single ? at::kFloat : at::kDouble; }

  void take_weights();
  void plan();
  void find_parameters();
};

void Network::State::take_weights() {
  for (auto& [name, tensor] : model.weights) {
    tensor = tensor.clone();
    at::Tensor view = to_aten(tensor);
    const bool widen = precision == Precision::Double && tensor.dtype() == graph::DType::F32;
    weights[name] = widen ? view.to(at::kDouble) : view;
  }
}

void Network::State::plan() {
  const auto& nodes = model.graph.nodes;
  std::map<size_t, size_t> last_reader;
  for (size_t i = 0; i < nodes.size(); ++i) {
    index[nodes[i].name] = i;
    Step step;
    for (const std::string& input : nodes[i].inputs) {
      if (const auto weight = weights.find(input); weight != weights.end()) {
        step.sources.push_back({0, &weight->second});
      } else {
        step.sources.push_back({index.at(input), nullptr});
        last_reader[index.at(input)] = i;
        ++steps[index.at(input)].readers;
      }
    }
    steps.push_back(std::move(step));
  }
  for (const auto& [producer, reader] : last_reader) {
    steps[reader].last_reader_of.push_back(producer);
  }
  for (const std::string& output : model.graph.outputs) {
    steps[index.at(output)].is_output = true;
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
    if (node.op == graph::Op::Conv || node.op == graph::Op::Gemm) {
      add(node, 1, ParameterKind::Weight);
      add(node, 2, ParameterKind::Bias);
    } else if (node.op == graph::Op::BatchNorm) {
      add(node, 1, ParameterKind::NormScale);
      add(node, 2, ParameterKind::NormShift);
    }
  }
}

Network::Network(graph::Model model, Precision precision) : state_(std::make_unique<State>()) {
  graph::infer_shapes(model);
  graph::verify(model);
  state_->model = std::move(model);
  state_->precision = precision;
  state_->take_weights();
  state_->plan();
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

namespace {

void check_input(const graph::Node& node, const at::Tensor& value, at::ScalarType real) {
  const auto& expected = node.as<graph::InputAttributes>();
  bool fits = value.dim() == static_cast<int64_t>(expected.shape.size());
  for (size_t d = 1; fits && d < expected.shape.size(); ++d) {
    fits = value.size(static_cast<int64_t>(d)) == expected.shape[d];
  }
  const at::ScalarType dtype = value.scalar_type();
  const bool dtype_fits = (expected.dtype == graph::DType::F32 && dtype == real) ||
                          (expected.dtype == graph::DType::U8 && dtype == at::kByte) ||
                          (expected.dtype == graph::DType::I8 && dtype == at::kChar) ||
                          (expected.dtype == graph::DType::I32 && dtype == at::kInt) ||
                          (expected.dtype == graph::DType::I64 && dtype == at::kLong);
  if (!fits || !dtype_fits) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "input '" + node.name + "' takes " +
                          std::string(graph::to_string(expected.dtype)) +
                          graph::to_string(expected.shape) + ", not " + c10::toString(dtype) +
                          graph::to_string(value.sizes().vec()));
  }
}

}  // namespace

Activations Network::forward(const std::map<std::string, at::Tensor>& inputs,
                             const ForwardOptions& options) {
  const auto& nodes = state_->model.graph.nodes;
  std::vector<bool> kept(nodes.size(), false);
  for (const std::string& name : options.keep) {
    (void)state_->model.graph.at(name);
    kept[state_->index.at(name)] = true;
  }
  const core::Rng dropout(options.dropout_seed);
  std::vector<at::Tensor> values(nodes.size());
  std::vector<at::Tensor> arguments;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Step& step = state_->steps[i];
    kept[i] = kept[i] || step.is_output;
    if (nodes[i].op == graph::Op::Input) {
      const auto input = inputs.find(nodes[i].name);
      if (input == inputs.end()) {
        throw core::Error(core::ErrorKind::InvalidArgument,
                          "input '" + nodes[i].name + "' is not given");
      }
      check_input(nodes[i], input->second, state_->real());
      values[i] = input->second;
      continue;
    }
    arguments.clear();
    for (const Source& source : step.sources) {
      arguments.push_back(source.weight != nullptr ? *source.weight : values[source.step]);
    }
    const size_t first = step.sources[0].step;
    const bool fresh = step.sources[0].weight == nullptr && makes_fresh_output(nodes[first].op) &&
                       state_->steps[first].readers == 1;
    values[i] =
        lower({.node = nodes[i],
               .inputs = arguments,
               .training = options.training,
               .may_overwrite = fresh && !kept[first],
               .dropout_seed = nodes[i].op == graph::Op::Dropout ? dropout.split(i).next() : 0,
               .real = state_->real()});
    for (const size_t done : step.last_reader_of) {
      if (!kept[done]) {
        values[done].reset();
      }
    }
  }
  Activations result;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (kept[i]) {
      result.emplace(nodes[i].name, std::move(values[i]));
    }
  }
  return result;
}

at::Tensor Network::logits(const at::Tensor& input, const ForwardOptions& options) {
  return forward(input, options).at(state_->model.graph.outputs.front());
}

const std::vector<Parameter>& Network::parameters() const {
  return state_->parameters;
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
    const at::Tensor& value = state_->weights.at(name);
    tensor = (state_->precision == Precision::Double && tensor.dtype() == graph::DType::F32)
                 ? to_graph(value.to(at::kFloat))
                 : tensor.clone();
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
