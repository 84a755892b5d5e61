#pragma once

#include <ATen/core/ATen_fwd.h>

#include "train/lowering/lowering.h"

namespace coppice::train {

/// What lies around a BatchNorm and can be computed with it.
struct NormChain {
  const LoweringArgs* convolution = nullptr;  ///< whose result is normalised; see winograd_takes()
  at::Tensor residual = {};  ///< undefined, or what is added before ReLU: of the input's shape
  bool relu = false;
  bool pool = false;  ///< 2 x 2 maximum with stride 2; never with a residual
};

/// BatchNorm of images, the addition, ReLU and pooling behind it in one walk through memory,
/// differentiable. A convolution before it makes the images whose statistics are wanted, and takes
/// their gradient, while they are in the cache. The result lies channels last. With a convolution,
/// input 0 of `batch_norm` may be undefined. REQUIRES: tensors on the CPU.
/// Throws Error{InvalidArgument} for a training batch of one value per channel.
at::Tensor lower_norm_chain(const LoweringArgs& batch_norm, const NormChain& chain);

/// ReLU and 2 x 2 pooling of images. REQUIRES: no gradient is wanted, tensors on the CPU.
at::Tensor relu_and_pool(const at::Tensor& x);

}  // namespace coppice::train
