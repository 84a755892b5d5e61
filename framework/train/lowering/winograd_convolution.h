#pragma once

#include <ATen/core/ATen_fwd.h>

#include "train/lowering/lowering.h"

namespace coppice::train {

/// Whether winograd_convolution() takes these and is the faster way: floats on the CPU, 3 x 3
/// kernels (see Winograd::pays). The caller knows that stride and dilation are 1, groups too, and
/// the padding is 1 on every side.
bool winograd_pays(const at::Tensor& x, const at::Tensor& weight);

/// Whether a Conv about to be computed is one that winograd_convolution() should compute.
bool winograd_takes(const LoweringArgs& conv);

/// x [n, in, height, width], weight [out, in, 3, 3] -> [n, out, height, width], which lies channels
/// last; differentiable. `passed_on`, where given, becomes x as its other readers may read it:
/// their gradient is added to this one's while that is written, which saves a walk through memory.
/// REQUIRES: winograd_pays().
at::Tensor winograd_convolution(const at::Tensor& x,
                                const at::Tensor& weight,
                                at::Tensor* passed_on = nullptr);

}  // namespace coppice::train
