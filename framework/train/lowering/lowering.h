#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/graph.h"

namespace coppice::train {

/// One node about to be computed. `inputs` are in the node's order; weights are already tensors.
struct LoweringArgs {
  const graph::Node& node;
  const std::vector<at::Tensor>& inputs;
  bool training = false;            ///< batch statistics and dropout
  double range_momentum = 0;        ///< of x's largest value in a moving QuantizeLinear scale
  bool may_overwrite = false;       ///< nobody else reads input 0 any more
  at::Tensor* passed_on = nullptr;  ///< may be set to input 0 as its other readers shall read it
  uint64_t dropout_seed = 0;
  at::ScalarType real = at::kFloat;      ///< what stands for f32: double in gradient checks
  at::ScalarType products = at::kFloat;  ///< what Conv and Gemm compute in; results are `real`
};

/// Computes a node with ATen, differentiably. Throws Error{Unsupported} naming the node.
at::Tensor lower(const LoweringArgs& args);

/// A QuantizeLinear and the DequantizeLinear that gives back what it rounds, in one.
at::Tensor lower_fake_quantise(const LoweringArgs& quantise);

/// One function per op of the table; the linker tells which is missing.
#define COPPICE_LOWER(name, onnx, least, most) at::Tensor lower_##name(const LoweringArgs& args);
COPPICE_OPS(COPPICE_LOWER)
#undef COPPICE_LOWER

}  // namespace coppice::train
