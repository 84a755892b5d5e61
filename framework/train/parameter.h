#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace coppice::train {

enum class ParameterKind {
  Weight,  ///< of a convolution or linear layer: the kind that decays and is penalised
  Bias,
  NormScale,
  NormShift,
  Scale,  ///< of integers: positive
};

/// A trainable weight of a network, bearing the name it has in the graph. `value` shares the
/// network's memory.
struct Parameter {
  std::string name;
  ParameterKind kind = ParameterKind::Weight;
  at::Tensor value;

  bool decays() const { return kind == ParameterKind::Weight; }
};

}  // namespace coppice::train
