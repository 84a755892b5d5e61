#pragma once

#include <ATen/core/Tensor.h>

#include "train/kernels/norm_relu_pool.h"
#include "train/lowering/batch_norm.h"
#include "train/lowering/winograd_ranges.h"

namespace coppice::train {

/// The walks through memory of a BatchNorm with all that is computed with it (norm_chain.h), by
/// threads; images are channels last, of floats or doubles on the CPU, with a convolution of
/// floats.

/// The tensors of a chain, as forward finds them and backward again.
struct ChainTensors {
  at::Tensor x;         ///< what is normalised; with a convolution, its result
  at::Tensor residual;  ///< may be undefined
  at::Tensor gamma;
  at::Tensor beta;
};

/// What a forward normalises by when it does not train, and moves when it does.
struct RunningStatistics {
  at::Tensor mean;
  at::Tensor variance;
  bool training = false;
  double epsilon = 0;
};

struct ChainGradients {
  at::Tensor x;  ///< undefined where a convolution took it
  at::Tensor residual;
  at::Tensor gamma;
  at::Tensor beta;
};

/// Fills y, and x where there is a convolution.
ChannelStatistics walk_forward(const NormReluPool& op,
                               const ChainTensors& in,
                               const WinogradForward* convolution,
                               const RunningStatistics& running,
                               const at::Tensor& y);

/// `dy`: of the result. `training`: the statistics are those of this batch.
ChainGradients walk_backward(const NormReluPool& op,
                             const ChainTensors& in,
                             const WinogradBackward* convolution,
                             const at::Tensor& dy,
                             const ChannelStatistics& statistics,
                             bool training);

}  // namespace coppice::train
