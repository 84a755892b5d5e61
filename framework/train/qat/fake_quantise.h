#pragma once

#include <ATen/core/ATen_fwd.h>

namespace coppice::train {

struct FakeQuantiser {
  double low = 0;             ///< smallest integer
  double high = 255;          ///< largest integer
  double scale_gradient = 0;  ///< factor of the scale's gradient; used where the scale learns
};

/// y = clamp(round(x / scale), low, high) scale, ties to even.
///
/// The gradient of x passes where round(x / scale) is not clipped and is 0 elsewhere: the
/// straight-through estimator (Jacob et al., Quantization and Training of Neural Networks for
/// Efficient Integer-Arithmetic-Only Inference, CVPR 2018). That of the scale, where it requires
/// one, is the sum of dy (round(x / scale) - x / scale) inside, dy low or dy high outside, times
/// scale_gradient (Esser et al., Learned Step Size Quantization, ICLR 2020, equation 3).
///
/// `scale`: one positive value, or one for each row (dimension 0) of x. Deterministic for any
/// number of threads.
at::Tensor fake_quantise(const at::Tensor& x,
                         const at::Tensor& scale,
                         const FakeQuantiser& quantiser);

/// LSQ's factor, 1 / sqrt(values x largest integer), for a scale that so many values share (of an
/// activation: those of a sample).
double lsq_gradient(int64_t values, double high);

}  // namespace coppice::train
