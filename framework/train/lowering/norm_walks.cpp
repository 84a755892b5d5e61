#include "train/lowering/norm_walks.h"

#include <type_traits>

#include <ATen/ops/empty_like.h>

#include "train/lowering/image_parts.h"

namespace coppice::train {

namespace {

double values_of_channel(const NormReluPool& op) {
  return static_cast<double>(op.samples * op.height * op.width);
}

/// Adds the sums of x and x x. A pixel is near every other: about the first one no digits are lost.
template <class T>
void add_moments(const NormReluPool& op, const T* x, ChannelSums& sums) {
  ChannelSums about_first(op.channels);
  NormKernels<T>::sums(op, x, x, about_first.first.data(), about_first.second.data());
  const double count = values_of_channel(op);
  for (size_t c = 0; c < sums.first.size(); ++c) {
    const auto first = static_cast<double>(x[c]);
    const double away = about_first.first[c];
    sums.first[c] += away + count * first;
    sums.second[c] += about_first.second[c] + first * (2 * away + count * first);
  }
}

template <class T>
ChannelStatistics forward_as(const NormReluPool& op,
                             const ChainTensors& in,
                             const WinogradForward* convolution,
                             const RunningStatistics& running,
                             const at::Tensor& y) {
  const ImageParts parts =
      convolution != nullptr ? ImageParts(op, convolution->op()) : ImageParts(op);
  const int64_t scratch = convolution != nullptr ? convolution->scratch() : 0;
  const auto convolve = [&](const NormReluPool& range, int64_t begin, float* own_scratch) {
    if (convolution != nullptr) {
      convolution->run(begin, range.samples, own_scratch);
    }
  };
  const auto normalise =
      [&](const ChannelAffine<T>& affine, const NormReluPool& range, int64_t begin) {
        NormKernels<T>::forward(range,
                                data_of<T>(in.x, begin * op.in_size()),
                                data_of<T>(in.residual, begin * op.in_size()),
                                affine.parameters(),
                                data_of<T>(y, begin * op.out_size()));
      };
  if (!running.training) {
    auto statistics = running_statistics<T>(running.mean, running.variance, running.epsilon);
    const ChannelAffine<T> affine(in.gamma, in.beta, statistics);
    parts.for_ranges(scratch, [&](int64_t, const NormReluPool& range, int64_t begin, float* own) {
      convolve(range, begin, own);
      normalise(affine, range, begin);
    });
    return statistics;
  }
  const ChannelSums sums = parts.sum(
      scratch, [&](const NormReluPool& range, int64_t begin, float* own, ChannelSums& part) {
        convolve(range, begin, own);
        add_moments<T>(range, data_of<T>(in.x, begin * op.in_size()), part);
      });
  auto statistics = batch_statistics<T>(
      sums, values_of_channel(op), running.mean, running.variance, running.epsilon);
  const ChannelAffine<T> affine(in.gamma, in.beta, statistics);
  ImageParts(op).for_ranges(0, [&](int64_t, const NormReluPool& range, int64_t begin, float*) {
    normalise(affine, range, begin);
  });
  return statistics;
}

template <class T>
ChainGradients backward_as(const NormReluPool& op,
                           const ChainTensors& in,
                           const WinogradBackward* convolution,
                           const at::Tensor& dy,
                           const ChannelStatistics& statistics,
                           bool training) {
  ChainGradients gradients{{}, {}, at::empty_like(in.gamma), at::empty_like(in.gamma)};
  if (in.residual.defined()) {
    gradients.residual = at::empty_like(in.residual);
  }
  const ChannelAffine<T> affine(in.gamma, in.beta, statistics);
  const ChannelSums sums = ImageParts(op).sum(
      0, [&](const NormReluPool& range, int64_t begin, float*, ChannelSums& part) {
        NormKernels<T>::backward_sums(range,
                                      data_of<T>(in.x, begin * op.in_size()),
                                      data_of<T>(in.residual, begin * op.in_size()),
                                      data_of<T>(dy, begin * op.out_size()),
                                      affine.parameters(),
                                      statistics.mean.data_ptr<T>(),
                                      part.first.data(),
                                      part.second.data(),
                                      data_of<T>(gradients.residual, begin * op.in_size()));
      });
  for (size_t c = 0; c < sums.first.size(); ++c) {
    const auto inverse = static_cast<double>(statistics.inverse.data_ptr<T>()[c]);
    gradients.gamma.data_ptr<T>()[c] = static_cast<T>(sums.second[c] * inverse);
    gradients.beta.data_ptr<T>()[c] = static_cast<T>(sums.first[c]);
  }
  const ChannelGradient<T> gradient(sums, training ? values_of_channel(op) : 0, affine, statistics);
  NormReluPool behind_relu = op;
  behind_relu.relu = op.relu && !in.residual.defined();
  const at::Tensor& by_sum = in.residual.defined() ? gradients.residual : dy;
  const auto by_input = [&](const NormReluPool& range, int64_t begin, T* to) {
    NormKernels<T>::backward_input(range,
                                   data_of<T>(in.x, begin * op.in_size()),
                                   data_of<T>(by_sum, begin * op.out_size()),
                                   affine.parameters(),
                                   gradient.rule(),
                                   to);
  };
  if constexpr (std::is_same_v<T, float>) {
    if (convolution != nullptr) {
      const ImageParts parts(behind_relu, convolution->op());
      const int64_t images = parts.together * op.in_size();
      parts.for_ranges(images + convolution->scratch(),
                       [&](int64_t, const NormReluPool& range, int64_t begin, float* scratch) {
                         by_input(range, begin, scratch);
                         convolution->run(begin, range.samples, scratch, scratch + images);
                       });
      return gradients;
    }
  }
  gradients.x = at::empty_like(in.x);
  ImageParts(behind_relu)
      .for_ranges(0, [&](int64_t, const NormReluPool& range, int64_t begin, float*) {
        by_input(range, begin, data_of<T>(gradients.x, begin * op.in_size()));
      });
  return gradients;
}

}  // namespace

ChannelStatistics walk_forward(const NormReluPool& op,
                               const ChainTensors& in,
                               const WinogradForward* convolution,
                               const RunningStatistics& running,
                               const at::Tensor& y) {
  return in.x.scalar_type() == at::kDouble ? forward_as<double>(op, in, convolution, running, y)
                                           : forward_as<float>(op, in, convolution, running, y);
}

ChainGradients walk_backward(const NormReluPool& op,
                             const ChainTensors& in,
                             const WinogradBackward* convolution,
                             const at::Tensor& dy,
                             const ChannelStatistics& statistics,
                             bool training) {
  const auto run = in.x.scalar_type() == at::kDouble ? backward_as<double> : backward_as<float>;
  return run(op, in, convolution, dy, statistics, training);
}

}  // namespace coppice::train
