#pragma once

#include <cstdint>

namespace coppice::train {

/// Dense images [samples, channels, height, width] and what happens to them, one channel at a time:
/// y = scale x + shift, then ReLU (or not), then 2 x 2 max-pooling with stride 2 (or not), in one
/// walk through memory instead of three.
struct NormReluPool {
  int64_t samples = 0;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  bool relu = false;
  bool pool = false;  ///< an odd last row or column is left out

  int64_t out_height() const { return pool ? height / 2 : height; }

  int64_t out_width() const { return pool ? width / 2 : width; }
};

struct Moments2 {
  double mean = 0;
  double variance = 0;  ///< biased
};

struct GradientSums {
  double of_gradient = 0;          ///< sum of g, the gradient of scale x + shift
  double of_gradient_times_x = 0;  ///< sum of g (x - mean)
};

/// dx = factor g + slope (x - mean) + offset
template <class T>
struct InputGradient {
  T factor = 1;
  T slope = 0;
  T offset = 0;
};

/// Which of a pooling window's four values was taken, in reading order; the first of equals, as in
/// PyTorch.
using Taken = uint8_t;
inline constexpr Taken kNoneTaken = 4;  ///< ReLU's zero was

/// Pointers are to the first sample's plane of the channel at hand: x and dx of height x width, y,
/// dy and taken of the output's. `taken` is written and read where the op pools and may be null
/// elsewhere, or in a forward that nobody goes back through. T is float or double. Compiled for
/// several instruction sets, chosen when the program starts.
template <class T>
struct ChannelKernels {
  static Moments2 moments(const NormReluPool& op, const T* x);
  static void forward(const NormReluPool& op, const T* x, T scale, T shift, T* y, Taken* taken);
  static GradientSums backward_sums(const NormReluPool& op,
                                    const T* x,
                                    const T* dy,
                                    const Taken* taken,
                                    T scale,
                                    T shift,
                                    T mean);
  static void backward_input(const NormReluPool& op,
                             const T* x,
                             const T* dy,
                             const Taken* taken,
                             T scale,
                             T shift,
                             T mean,
                             const InputGradient<T>& rule,
                             T* dx);
};

extern template struct ChannelKernels<float>;
extern template struct ChannelKernels<double>;

}  // namespace coppice::train
