#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "train/kernels/winograd.h"

namespace coppice::train {

/// A Winograd convolution by ranges of samples, so that what reads or makes its images next can do
/// so while they are in the cache. Ranges may be computed by several threads at once; each brings
/// scratch() floats, 64-byte aligned. x: [n, in, height, width], channels last; weight: [out, in,
/// 3, 3]; both of floats on the CPU.
class WinogradForward {
 public:
  WinogradForward(const at::Tensor& x, const at::Tensor& weight);

  const Winograd& op() const { return op_; }

  int64_t scratch() const { return op_.scratch(); }

  /// [n, out, height, width], channels last.
  const at::Tensor& y() const { return y_; }

  void run(int64_t begin, int64_t samples, float* scratch) const;

 private:
  Winograd op_;
  at::Tensor x_;
  at::Tensor transformed_;
  at::Tensor y_;
};

/// Its gradients by the input and by the weight, or one of them.
class WinogradBackward {
 public:
  /// `of_others`: undefined, or what is added to the gradient by x, of its shape.
  WinogradBackward(const at::Tensor& x,
                   const at::Tensor& weight,
                   const at::Tensor& of_others,
                   bool wants_dx,
                   bool wants_dw);

  const Winograd& op() const { return op_; }

  int64_t scratch() const { return op_.scratch(); }

  /// `dy`: of these samples alone.
  void run(int64_t begin, int64_t samples, const float* dy, float* scratch) const;

  /// When all ranges were run. Undefined where not wanted.
  const at::Tensor& dx() const { return dx_; }

  at::Tensor dw() const;

 private:
  Winograd op_;
  at::Tensor x_;
  at::Tensor turned_weight_;
  at::Tensor added_;
  at::Tensor dx_;
  at::Tensor sums_;  ///< of the gradient by the transformed weight, of each thread
};

}  // namespace coppice::train
