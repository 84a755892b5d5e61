#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/ATen_fwd.h>
#include <c10/core/Device.h>

#include "graph/graph.h"

namespace coppice::train {

struct Parameter;

/// Node outputs by name.
using Activations = std::map<std::string, at::Tensor>;

struct ForwardOptions {
  bool training = false;  ///< dropout, and BN by batch statistics (which updates the running ones)
  uint64_t dropout_seed = 0;  ///< the same seed drops the same values
  std::vector<std::string> keep =
      {};                     ///< nodes whose outputs are wanted besides the graph's outputs
  bool freeze_norms = false;  ///< in training, BN by the running statistics, which stay
  double range_momentum = 0;  ///< in training, of a batch's largest value in the scales of
                              ///< QuantizeLinear that do not learn
};

enum class Precision {
  Single,
  Double,  ///< for gradient checks
  Mixed,   ///< single, but products of training in bfloat16
};

/// A graph::Model as a differentiable function of its inputs and trainable weights.
///
/// Conv and Gemm weights and biases and BN scales and shifts are trainable: `requires_grad` is set
/// and `backward()` of anything computed from the outputs fills their `grad()`. Not thread-safe.
class Network {
 public:
  /// Copies the weights. Throws Error{InvalidArgument} when the model does not verify.
  explicit Network(graph::Model model,
                   Precision precision = Precision::Single,
                   at::Device device = at::Device(at::kCPU));
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  /// The graph's outputs and the nodes of `keep`, for a batch of the model's only input.
  ///
  /// `input`: [n, …] in the input's dtype. Throws Error{InvalidArgument} for another shape or
  /// dtype, Error{NotFound} for an unknown node in `keep`. QuantizeLinear nodes give real tensors
  /// that hold integers. The input may be on any device, results are on the network's.
  Activations forward(const at::Tensor& input, const ForwardOptions& options = {});
  /// For models with several inputs: by name.
  Activations forward(const std::map<std::string, at::Tensor>& inputs,
                      const ForwardOptions& options = {});
  /// The first output.
  at::Tensor logits(const at::Tensor& input, const ForwardOptions& options = {});

  /// From now on these weights (of Conv and Gemm) are rounded to i8 and back in every forward, with
  /// a scale for each output channel (qat/fake_quantise.h). `learn_scales`: the given scales and
  /// those of QuantizeLinear nodes become parameters; else a weight's scales follow its largest
  /// values. Throws Error{NotFound} for a weight that the network does not have.
  void round_weights(const std::map<std::string, graph::Tensor>& scales, bool learn_scales);

  /// Of the weights that are rounded, as they are now.
  std::map<std::string, graph::Tensor> weight_scales() const;

  /// Keeps scales that learn from 0 and below. Call it behind every change of parameters.
  void keep_scales_positive();

  /// In graph order; empty for a network of int8 weights; scales come last.
  const std::vector<Parameter>& parameters() const;
  void clear_gradients();

  /// Trainable weights, BN's running statistics and constants by name, sharing the network's
  /// memory.
  const std::map<std::string, at::Tensor>& weights() const;

  /// Copies the values in; throws Error{InvalidArgument} unless names, dtypes and shapes are those
  /// of this network.
  void load_weights(const graph::Weights& weights);
  /// With the present weights, copied.
  graph::Model to_model() const;
  const graph::Graph& graph() const;
  const graph::Metadata& metadata() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::train
