#include "train/network.h"

#include <set>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "core/rng.h"
#include "train/lowering/lowering.h"
#include "train/lowering/norm_chain.h"
#include "train/parameter.h"
#include "train/plan.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

struct Network::State {
  graph::Model model;
  Precision precision = Precision::Single;
  std::vector<Step> steps;
  std::map<std::string, at::Tensor> weights;
  std::vector<Parameter> parameters;

  at::ScalarType real() const { return precision == Precision::Single ? at::kFloat : at::kDouble; }

  void take_weights();
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

namespace {

bool is_dtype(graph::DType expected, at::ScalarType given, at::ScalarType real) {
  switch (expected) {
    case graph::DType::F32:
      return given == real;
    case graph::DType::U8:
      return given == at::kByte;
    case graph::DType::I8:
      return given == at::kChar;
    case graph::DType::I32:
      return given == at::kInt;
    case graph::DType::I64:
      return given == at::kLong;
  }
  return false;
}

void check_input(const graph::Node& node, const at::Tensor& value, at::ScalarType real) {
  const auto& expected = node.as<graph::InputAttributes>();
  const graph::Shape given = value.sizes().vec();
  graph::Shape wanted = expected.shape;
  if (!given.empty()) {
    wanted[0] = given[0];  // any batch
  }
  if (given != wanted || !is_dtype(expected.dtype, value.scalar_type(), real)) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "input '" + node.name + "' takes " +
                          std::string(graph::to_string(expected.dtype)) + " " +
                          graph::to_string(expected.shape) + ", not " +
                          c10::toString(value.scalar_type()) + " " + graph::to_string(given));
  }
}

/// Whether an op's output is memory of its own that its backward does not read.
bool makes_fresh_output(graph::Op op) {
  return op == graph::Op::BatchNorm || op == graph::Op::Conv || op == graph::Op::Gemm ||
         op == graph::Op::Add;
}

/// One forward: walks through the nodes in order and forgets values as soon as nobody needs them.
class Walk {
 public:
  Walk(const graph::Graph& graph,
       const std::vector<Step>& steps,
       const std::map<std::string, at::Tensor>& weights,
       const ForwardOptions& options,
       at::ScalarType real)
      : graph_(graph),
        steps_(steps),
        weights_(weights),
        options_(options),
        real_(real),
        dropout_(options.dropout_seed),
        values_(steps.size()),
        kept_(steps.size()),
        done_(steps.size()) {
    for (const std::string& name : options.keep) {
      const graph::Node& node = graph.at(name);
      kept_[static_cast<size_t>(&node - graph.nodes.data())] = true;
    }
    for (size_t i = 0; i < steps.size(); ++i) {
      kept_[i] = kept_[i] || steps[i].is_output;
    }
  }

  Activations run(const std::map<std::string, at::Tensor>& inputs) {
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (graph_.nodes[i].op == graph::Op::Input) {
        feed(i, inputs);
      } else if (!done_[i]) {
        compute(i);
      }
    }
    Activations result;
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (kept_[i]) {
        result.emplace(graph_.nodes[i].name, std::move(values_[i]));
      }
    }
    return result;
  }

 private:
  void feed(size_t i, const std::map<std::string, at::Tensor>& inputs) {
    const auto input = inputs.find(graph_.nodes[i].name);
    if (input == inputs.end()) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "input '" + graph_.nodes[i].name + "' is not given");
    }
    check_input(graph_.nodes[i], input->second, real_);
    values_[i] = input->second;
  }

  void compute(size_t i) {
    const Step& step = steps_[i];
    const graph::Node& node = graph_.nodes[i];
    arguments_.clear();
    for (const Source& source : step.sources) {
      arguments_.push_back(source.weight.empty() ? values_[source.node]
                                                 : weights_.at(source.weight));
    }
    const LoweringArgs args{
        .node = node,
        .inputs = arguments_,
        .training = options_.training,
        .may_overwrite = may_overwrite(step),
        .dropout_seed = node.op == graph::Op::Dropout ? dropout_.split(i).next() : 0,
        .real = real_};
    if (!can_fuse(i)) {
      values_[i] = lower(args);
    } else if (node.op == graph::Op::Relu) {
      values_[step.chain.back()] = relu_and_pool(arguments_[0]);
    } else {
      values_[step.chain.back()] =
          lower_norm_chain(args, {.relu = true, .pool = step.chain.size() > 1});
    }
    if (can_fuse(i)) {
      for (const size_t member : step.chain) {
        done_[member] = true;
      }
    }
    for (const size_t last : step.last_reader_of) {
      if (!kept_[last]) {
        values_[last].reset();
      }
    }
  }

  bool may_overwrite(const Step& step) const {
    const Source& first = step.sources[0];
    return first.weight.empty() && makes_fresh_output(graph_.nodes[first.node].op) &&
           steps_[first.node].readers == 1 && !kept_[first.node];
  }

  bool can_fuse(size_t i) const {
    const std::vector<size_t>& chain = steps_[i].chain;
    if (chain.empty() || kept_[i]) {
      return false;
    }
    for (size_t member = 0; member + 1 < chain.size(); ++member) {
      if (kept_[chain[member]]) {
        return false;
      }
    }
    // Without a BatchNorm the fused kernel has no gradient.
    return graph_.nodes[i].op == graph::Op::BatchNorm || !at::GradMode::is_enabled();
  }

  const graph::Graph& graph_;
  const std::vector<Step>& steps_;
  const std::map<std::string, at::Tensor>& weights_;
  const ForwardOptions& options_;
  at::ScalarType real_;
  core::Rng dropout_;
  std::vector<at::Tensor> values_;
  std::vector<bool> kept_;
  std::vector<bool> done_;  ///< computed with an earlier node
  std::vector<at::Tensor> arguments_;
};

}  // namespace

Network::Network(graph::Model model, Precision precision) : state_(std::make_unique<State>()) {
  graph::infer_shapes(model);
  graph::verify(model);
  state_->model = std::move(model);
  state_->precision = precision;
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
  return Walk(state_->model.graph, state_->steps, state_->weights, options, state_->real())
      .run(inputs);
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
    const bool narrow =
        state_->precision == Precision::Double && tensor.dtype() == graph::DType::F32;
    tensor = narrow ? to_graph(state_->weights.at(name).to(at::kFloat)) : tensor.clone();
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
