#pragma once

#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::compress {

struct QuantiseOptions {
  std::string calibration = "percentile";  ///< "min_max", "percentile", "mse"
  double percentile = 99.99;               ///< of activations kept inside the range
  int64_t samples = 512;                   ///< calibration samples taken from the front

  void visit(core::Fields& f);
};

/// Post-training int8 as QDQ: per-channel symmetric int8 weights, per-tensor asymmetric uint8 activations (int8 range where an op needs it), int32 biases
/// with scale = input scale x weight scale (Jacob et al., CVPR 2018). BN is folded first. Inputs and outputs of the model keep
/// their dtypes. `samples`: raw input [n, …] of the model's input dtype.
/// Throws Error{InvalidArgument} for samples that do not fit or a model that is quantised already.
graph::Model quantise(const graph::Model& model, const graph::Tensor& samples, const QuantiseOptions& options);

}  // namespace coppice::compress
