#include "train/lowering/batch_norm.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/empty_like.h>

namespace coppice::train {

template <class T>
ChannelStatistics running_statistics(const at::Tensor& running_mean,
                                     const at::Tensor& running_variance,
                                     double epsilon) {
  ChannelStatistics result{running_mean.clone(), at::empty_like(running_mean)};
  for (int64_t c = 0; c < running_mean.numel(); ++c) {
    const auto variance = static_cast<double>(running_variance.data_ptr<T>()[c]);
    result.inverse.data_ptr<T>()[c] = static_cast<T>(1 / std::sqrt(variance + epsilon));
  }
  return result;
}

template <class T>
ChannelStatistics batch_statistics(const ChannelSums& sums,
                                   double count,
                                   const at::Tensor& running_mean,
                                   const at::Tensor& running_variance,
                                   double epsilon) {
  ChannelStatistics result{at::empty_like(running_mean), at::empty_like(running_mean)};
  T* old_mean = running_mean.data_ptr<T>();
  T* old_variance = running_variance.data_ptr<T>();
  const auto move = [](T& running, double now) {
    const auto old = static_cast<double>(running);
    running = static_cast<T>(old + kBatchNormMomentum * (now - old));
  };
  for (size_t c = 0; c < sums.first.size(); ++c) {
    const double mean = sums.first[c] / count;
    const double variance = std::max(sums.second[c] / count - mean * mean, 0.0);
    result.mean.data_ptr<T>()[c] = static_cast<T>(mean);
    result.inverse.data_ptr<T>()[c] = static_cast<T>(1 / std::sqrt(variance + epsilon));
    move(old_mean[c], mean);
    move(old_variance[c], variance * count / (count - 1));
  }
  return result;
}

template <class T>
ChannelAffine<T>::ChannelAffine(const at::Tensor& gamma,
                                const at::Tensor& beta,
                                const ChannelStatistics& statistics) {
  for (int64_t c = 0; c < gamma.numel(); ++c) {
    const T factor = gamma.data_ptr<T>()[c] * statistics.inverse.data_ptr<T>()[c];
    scale.push_back(factor);
    shift.push_back(beta.data_ptr<T>()[c] - factor * statistics.mean.data_ptr<T>()[c]);
  }
}

template <class T>
ChannelGradient<T>::ChannelGradient(const ChannelSums& sums,
                                    double count,
                                    const ChannelAffine<T>& affine,
                                    const ChannelStatistics& statistics)
    : slope(sums.first.size()), constant(slope.size()) {
  if (count == 0) {
    return;
  }
  for (size_t c = 0; c < slope.size(); ++c) {
    const auto inverse = static_cast<double>(statistics.inverse.data_ptr<T>()[c]);
    const auto mean = static_cast<double>(statistics.mean.data_ptr<T>()[c]);
    const auto scale = static_cast<double>(affine.scale[c]);
    const double per_x = -scale * inverse * inverse * sums.second[c] / count;
    slope[c] = static_cast<T>(per_x);
    constant[c] = static_cast<T>(-scale * sums.first[c] / count - per_x * mean);
  }
}

#define COPPICE_BATCH_NORM(T)                                                \
  template ChannelStatistics running_statistics<T>(                          \
      const at::Tensor& mean, const at::Tensor& variance, double epsilon);   \
  template ChannelStatistics batch_statistics<T>(const ChannelSums& sums,    \
                                                 double count,               \
                                                 const at::Tensor& mean,     \
                                                 const at::Tensor& variance, \
                                                 double epsilon);            \
  template struct ChannelAffine<T>;                                          \
  template struct ChannelGradient<T>;
COPPICE_BATCH_NORM(float)
COPPICE_BATCH_NORM(double)
#undef COPPICE_BATCH_NORM

}  // namespace coppice::train
