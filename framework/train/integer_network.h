#pragma once

#include <memory>

#include <ATen/core/ATen_fwd.h>

#include "graph/graph.h"

namespace coppice::train {

/// A model of int8 weights as libtorch computes it when nothing is learnt from it: its Conv and
/// Gemm as runtime::QuantisedLayer says, on sums of integers, and means in double, so that its
/// integers are those of the device engines. A Network rounds in between as floats do, which moves
/// about one value in 100,000 by a step. On the CPU.
class IntegerNetwork {
 public:
  /// Copies the weights. Float layers among the others are computed in float.
  explicit IntegerNetwork(const graph::Model& model);
  ~IntegerNetwork();
  IntegerNetwork(const IntegerNetwork&) = delete;
  IntegerNetwork& operator=(const IntegerNetwork&) = delete;

  /// The first output for a batch of the model's only input, [n, …] in the input's dtype.
  at::Tensor logits(const at::Tensor& input) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::train
