#include "train/walk.h"

#include <algorithm>
#include <utility>

#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "core/rng.h"
#include "train/lowering/lowering.h"
#include "train/lowering/norm_chain.h"
#include "train/lowering/winograd_convolution.h"

namespace coppice::train {

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

class Walk {
 public:
  Walk(const WalkedNetwork& network, const ForwardOptions& options)
      : graph_(network.graph),
        steps_(network.steps),
        weights_(network.weights),
        options_(options),
        real_(network.real),
        products_(network.products),
        device_(network.device),
        dropout_(options.dropout_seed),
        values_(steps_.size()),
        kept_(steps_.size()),
        done_(steps_.size()) {
    for (const std::string& name : options.keep) {
      const graph::Node& node = graph_.at(name);
      kept_[static_cast<size_t>(&node - graph_.nodes.data())] = true;
    }
    for (size_t i = 0; i < steps_.size(); ++i) {
      kept_[i] = kept_[i] || steps_[i].is_output;
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
    values_[i] = input->second.to(device_);
  }

  void compute(size_t i) {
    const Step& step = steps_[i];
    const std::vector<at::Tensor> inputs = inputs_of(step);
    const LoweringArgs args = args_of(i, inputs);
    if (step.norm && may_join(i, *step.norm) && winograd_takes(args)) {
      const std::vector<at::Tensor> of_norm = inputs_of(steps_[*step.norm]);
      compute_chain(*step.norm, args_of(*step.norm, of_norm), &args);
      done_[*step.norm] = true;
      forget_read_by(*step.norm);
    } else if (can_fuse(i) && inputs[0].is_cpu()) {
      compute_chain(i, args, nullptr);
    } else {
      values_[i] = lower(args);
    }
    forget_read_by(i);
  }

  std::vector<at::Tensor> inputs_of(const Step& step) const {
    std::vector<at::Tensor> inputs;
    for (const Source& source : step.sources) {
      inputs.push_back(source.weight.empty() ? values_[source.node] : weights_.at(source.weight));
    }
    return inputs;
  }

  LoweringArgs args_of(size_t i, const std::vector<at::Tensor>& inputs) {
    const Step& step = steps_[i];
    const graph::Node& node = graph_.nodes[i];
    return {.node = node,
            .inputs = inputs,
            .training =
                options_.training && !(options_.freeze_norms && node.op == graph::Op::BatchNorm),
            .range_momentum = step.first_of_scale ? options_.range_momentum : 0,
            .may_overwrite = may_overwrite(step),
            .passed_on = reads_node_with_others(step) ? &values_[step.sources[0].node] : nullptr,
            .dropout_seed = node.op == graph::Op::Dropout ? dropout_.split(i).next() : 0,
            .real = real_,
            .products = products_};
  }

  void compute_chain(size_t i, const LoweringArgs& args, const LoweringArgs* convolution) {
    const std::vector<size_t>& chain = steps_[i].chain;
    values_[chain.empty() ? i : chain.back()] = lower_chain(steps_[i], args, convolution);
    for (const size_t member : chain) {
      done_[member] = true;
      forget_read_by(member);
    }
  }

  at::Tensor lower_chain(const Step& step,
                         const LoweringArgs& first,
                         const LoweringArgs* convolution) const {
    if (first.node.op == graph::Op::QuantizeLinear) {
      return lower_fake_quantise(first);
    }
    if (first.node.op == graph::Op::Relu) {
      return relu_and_pool(first.inputs[0]);
    }
    const auto has = [&](graph::Op op) {
      return std::any_of(step.chain.begin(), step.chain.end(), [&](size_t member) {
        return graph_.nodes[member].op == op;
      });
    };
    return lower_norm_chain(first,
                            {.convolution = convolution,
                             .residual = step.residual ? values_[*step.residual] : at::Tensor(),
                             .relu = has(graph::Op::Relu),
                             .pool = has(graph::Op::MaxPool)});
  }

  void forget_read_by(size_t i) {
    for (const size_t last : steps_[i].last_reader_of) {
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

  bool reads_node_with_others(const Step& step) const {
    const Source& first = step.sources[0];
    return first.weight.empty() && steps_[first.node].readers > 1;
  }

  bool may_join(size_t convolution, size_t norm) const {
    return !kept_[convolution] && (steps_[norm].chain.empty() || can_fuse(norm));
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
    // The fused ReLU and pooling has no gradient.
    return graph_.nodes[i].op != graph::Op::Relu || !at::GradMode::is_enabled();
  }

  const graph::Graph& graph_;
  const std::vector<Step>& steps_;
  const std::map<std::string, at::Tensor>& weights_;
  const ForwardOptions& options_;
  at::ScalarType real_;
  at::ScalarType products_;
  at::Device device_;
  core::Rng dropout_;
  std::vector<at::Tensor> values_;
  std::vector<bool> kept_;
  std::vector<bool> done_;  ///< computed with an earlier node
};

}  // namespace

Activations walk(const WalkedNetwork& network,
                 const std::map<std::string, at::Tensor>& inputs,
                 const ForwardOptions& options) {
  return Walk(network, options).run(inputs);
}

}  // namespace coppice::train
