#pragma once

#include <cstdint>

namespace coppice::train {

/// Images that lie in memory as [samples, height, width, channels] ("channels last") and what
/// happens to them in one walk through memory instead of three: y = scale x + shift by channel,
/// plus `residual` where there is one, then ReLU (or not), then 2 x 2 max-pooling with stride 2 (or
/// not; never with a residual). Of equal values in a window the first is taken, as in PyTorch.
struct NormReluPool {
  int64_t samples = 0;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  bool relu = false;
  bool pool = false;  ///< an odd last row or column is left out

  int64_t out_height() const { return pool ? height / 2 : height; }

  int64_t out_width() const { return pool ? width / 2 : width; }

  int64_t in_size() const { return height * width * channels; }  ///< values of a sample

  int64_t out_size() const { return out_height() * out_width() * channels; }
};

/// By channel; read only.
template <class T>
struct NormParameters {
  const T* scale = nullptr;
  const T* shift = nullptr;
};

/// By channel: dx = scale g + slope x + constant, where g is the gradient of scale x + shift.
template <class T>
struct InputGradient {
  const T* slope = nullptr;
  const T* constant = nullptr;
};

/// x, dx and residual hold `samples` inputs, y and dy as many outputs; `residual` may be null. T is
/// float or double. Compiled for several instruction sets, chosen when the program starts.
template <class T>
struct NormKernels {
  /// Adds up x - centre and its square by channel.
  static void sums(
      const NormReluPool& op, const T* x, const T* centre, double* sum, double* squares);

  static void forward(
      const NormReluPool& op, const T* x, const T* residual, const NormParameters<T>& norm, T* y);

  /// Adds up g and g (x - mean) by channel. `gradient` is null, or takes g; never where it pools.
  static void backward_sums(const NormReluPool& op,
                            const T* x,
                            const T* residual,
                            const T* dy,
                            const NormParameters<T>& norm,
                            const T* mean,
                            double* of_gradient,
                            double* of_gradient_times_x,
                            T* gradient);

  /// Without a residual: where there was one, dy is g and there is no ReLU.
  static void backward_input(const NormReluPool& op,
                             const T* x,
                             const T* dy,
                             const NormParameters<T>& norm,
                             const InputGradient<T>& rule,
                             T* dx);
};

extern template struct NormKernels<float>;
extern template struct NormKernels<double>;

}  // namespace coppice::train
