#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "train/kernels/norm_relu_pool.h"

namespace coppice::train {

/// What BatchNorm computes by channel, apart from the walks over images. T: of the tensors.

constexpr double kBatchNormMomentum = 0.1;  ///< PyTorch's: running = 0.9 running + 0.1 batch

struct ChannelStatistics {
  at::Tensor mean;
  at::Tensor inverse;  ///< 1 / standard deviation
};

/// Two sums by channel.
struct ChannelSums {
  std::vector<double> first;
  std::vector<double> second;

  explicit ChannelSums(int64_t channels)
      : first(static_cast<size_t>(channels)), second(first.size()) {}
};

/// Those of evaluation.
template <class T>
ChannelStatistics running_statistics(const at::Tensor& running_mean,
                                     const at::Tensor& running_variance,
                                     double epsilon);

/// Of a batch of `count` values in a channel, from the sums of these and of their squares. Moves
/// the running ones, as PyTorch does.
template <class T>
ChannelStatistics batch_statistics(const ChannelSums& sums,
                                   double count,
                                   const at::Tensor& running_mean,
                                   const at::Tensor& running_variance,
                                   double epsilon);

/// gamma (x - mean) / deviation + beta as one multiplication and addition.
template <class T>
struct ChannelAffine {
  std::vector<T> scale;
  std::vector<T> shift;

  ChannelAffine(const at::Tensor& gamma,
                const at::Tensor& beta,
                const ChannelStatistics& statistics);

  NormParameters<T> parameters() const { return {scale.data(), shift.data()}; }
};

/// How the gradient by x follows from that by the result, whose `sums` are those of
/// NormKernels::backward_sums.
template <class T>
struct ChannelGradient {
  std::vector<T> slope;
  std::vector<T> constant;

  /// Statistics of a batch of `count` values in a channel depend on every x of it; `count` is 0
  /// where they were the running ones.
  ChannelGradient(const ChannelSums& sums,
                  double count,
                  const ChannelAffine<T>& affine,
                  const ChannelStatistics& statistics);

  InputGradient<T> rule() const { return {slope.data(), constant.data()}; }
};

}  // namespace coppice::train
