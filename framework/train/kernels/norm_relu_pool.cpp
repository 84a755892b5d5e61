#include "train/kernels/norm_relu_pool.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define COPPICE_FOR_EVERY_CPU \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define COPPICE_FOR_EVERY_CPU
#endif
#define COPPICE_INLINE inline __attribute__((always_inline))

namespace coppice::train {

namespace {

constexpr int64_t kLanes = 32;  // partial sums side by side: the order of additions is fixed
constexpr int64_t kBlock = 8;   // pooling windows worked on together

/// Calls body(first, count) for pieces of [0, size).
template <int64_t kPiece, class Body>
COPPICE_INLINE void in_pieces(int64_t size, Body body) {
  for (int64_t first = 0; first < size; first += kPiece) {
    body(first, std::min(kPiece, size - first));
  }
}

template <class T>
struct Lanes {
  T values[kLanes] = {};

  COPPICE_INLINE double sum() const {
    double total = 0;
    for (const T value : values) {
      total += static_cast<double>(value);
    }
    return total;
  }
};

template <class T>
COPPICE_INLINE Moments2 moments_of(const NormReluPool& op, const T* x) {
  const int64_t plane = op.height * op.width;
  const int64_t stride = op.channels * plane;
  const auto count = static_cast<double>(op.samples * plane);
  double total = 0;
  for (int64_t n = 0; n < op.samples; ++n) {
    Lanes<T> lanes;
    in_pieces<kLanes>(plane, [&](int64_t first, int64_t size) {
      const T* piece = x + n * stride + first;
      for (int64_t i = 0; i < size; ++i) {
        lanes.values[i] += piece[i];
      }
    });
    total += lanes.sum();
  }
  const double mean = total / count;
  const T centre = static_cast<T>(mean);
  double squares = 0;
  for (int64_t n = 0; n < op.samples; ++n) {
    Lanes<T> lanes;
    in_pieces<kLanes>(plane, [&](int64_t first, int64_t size) {
      const T* piece = x + n * stride + first;
      for (int64_t i = 0; i < size; ++i) {
        const T away = piece[i] - centre;
        lanes.values[i] += away * away;
      }
    });
    squares += lanes.sum();
  }
  return {mean, squares / count};
}

/// What is below becomes this; NaN passes.
template <class T>
COPPICE_INLINE T floor_of(const NormReluPool& op) {
  return op.relu ? T{0} : -std::numeric_limits<T>::infinity();
}

/// kBlock neighbouring windows: the count is fixed, so that no part is done one by one.
template <class T>
COPPICE_INLINE void pool_block(
    const T* top, const T* bottom, T scale, T shift, T least, T* y, Taken* taken) {
  using Index = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;  // as wide as what selects it
  Index which[kBlock];
  for (int64_t j = 0; j < kBlock; ++j) {
    const T v0 = scale * top[2 * j] + shift;
    const T v1 = scale * top[2 * j + 1] + shift;
    const T v2 = scale * bottom[2 * j] + shift;
    const T v3 = scale * bottom[2 * j + 1] + shift;
    const T upper = v1 > v0 ? v1 : v0;
    const Index upper_index = v1 > v0 ? 1 : 0;
    const T lower = v3 > v2 ? v3 : v2;
    const Index lower_index = v3 > v2 ? 3 : 2;
    const T best = lower > upper ? lower : upper;
    const Index best_index = lower > upper ? lower_index : upper_index;
    y[j] = best <= least ? least : best;
    which[j] = best <= least ? static_cast<Index>(kNoneTaken) : best_index;
  }
  for (int64_t j = 0; j < kBlock; ++j) {
    taken[j] = static_cast<Taken>(which[j]);
  }
}

/// One row of pooled values and where they came from. `taken` may be null.
template <class T>
COPPICE_INLINE void pool_row(
    const T* top, const T* bottom, int64_t width, T scale, T shift, T least, T* y, Taken* taken) {
  Taken ignored[kBlock];
  const int64_t whole = width - width % kBlock;
  for (int64_t first = 0; first < whole; first += kBlock) {
    pool_block(top + 2 * first,
               bottom + 2 * first,
               scale,
               shift,
               least,
               y + first,
               taken == nullptr ? ignored : taken + first);
  }
  if (const int64_t rest = width - whole; rest > 0) {
    T upper[2 * kBlock] = {};
    T lower[2 * kBlock] = {};
    T values[kBlock];
    std::copy_n(top + 2 * whole, 2 * rest, upper);
    std::copy_n(bottom + 2 * whole, 2 * rest, lower);
    pool_block(upper, lower, scale, shift, least, values, ignored);
    std::copy_n(values, rest, y + whole);
    if (taken != nullptr) {
      std::copy_n(ignored, rest, taken + whole);
    }
  }
}

template <class T>
COPPICE_INLINE void forward_of(
    const NormReluPool& op, const T* x, T scale, T shift, T* y, Taken* taken) {
  const int64_t plane = op.height * op.width;
  const int64_t out_plane = op.out_height() * op.out_width();
  const T least = floor_of<T>(op);
  for (int64_t n = 0; n < op.samples; ++n) {
    const T* in = x + n * op.channels * plane;
    const int64_t out = n * op.channels * out_plane;
    if (!op.pool) {
      for (int64_t i = 0; i < plane; ++i) {
        const T v = scale * in[i] + shift;
        y[out + i] = v <= least ? least : v;
      }
      continue;
    }
    for (int64_t row = 0; row < op.out_height(); ++row) {
      const int64_t target = out + row * op.out_width();
      const T* top = in + 2 * row * op.width;
      pool_row(top,
               top + op.width,
               op.out_width(),
               scale,
               shift,
               least,
               y + target,
               taken == nullptr ? nullptr : taken + target);
    }
  }
}

/// Calls body(place in the input plane, gradient) for every window of a sample.
template <class T, class Body>
COPPICE_INLINE void for_windows(const NormReluPool& op,
                                const T* dy,
                                const Taken* taken,
                                Body body) {
  const int64_t offsets[5] = {0, 1, op.width, op.width + 1, 0};
  for (int64_t row = 0; row < op.out_height(); ++row) {
    const int64_t in = 2 * row * op.width;
    const int64_t out = row * op.out_width();
    for (int64_t j = 0; j < op.out_width(); ++j) {
      const Taken which = taken[out + j];
      const T g = which == kNoneTaken ? T{0} : dy[out + j];
      body(in + 2 * j + offsets[which], g, j);
    }
  }
}

template <class T>
COPPICE_INLINE GradientSums backward_sums_of(
    const NormReluPool& op, const T* x, const T* dy, const Taken* taken, T scale, T shift, T mean) {
  const int64_t plane = op.height * op.width;
  const int64_t out_plane = op.out_height() * op.out_width();
  const T least = floor_of<T>(op);
  GradientSums sums;
  for (int64_t n = 0; n < op.samples; ++n) {
    const T* in = x + n * op.channels * plane;
    const int64_t out = n * op.channels * out_plane;
    const T* gradient = dy + out;
    Lanes<T> plain;
    Lanes<T> times_x;
    if (op.pool) {
      for_windows(op, gradient, taken + out, [&](int64_t place, T g, int64_t j) {
        plain.values[j % 4] += g;
        times_x.values[j % 4] += g * (in[place] - mean);
      });
    } else {
      in_pieces<kLanes>(plane, [&](int64_t first, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          const T value = in[first + i];
          const T g = scale * value + shift <= least ? T{0} : gradient[first + i];
          plain.values[i] += g;
          times_x.values[i] += g * (value - mean);
        }
      });
    }
    sums.of_gradient += plain.sum();
    sums.of_gradient_times_x += times_x.sum();
  }
  return sums;
}

template <class T>
COPPICE_INLINE void backward_input_of(const NormReluPool& op,
                                      const T* x,
                                      const T* dy,
                                      const Taken* taken,
                                      T scale,
                                      T shift,
                                      T mean,
                                      const InputGradient<T>& rule,
                                      T* dx) {
  const int64_t plane = op.height * op.width;
  const int64_t out_plane = op.out_height() * op.out_width();
  const T least = floor_of<T>(op);
  const T factor = rule.factor;
  const T slope = rule.slope;
  const T constant = rule.offset - rule.slope * mean;
  for (int64_t n = 0; n < op.samples; ++n) {
    const T* in = x + n * op.channels * plane;
    const T* gradient = dy + n * op.channels * out_plane;
    T* target = dx + n * op.channels * plane;
    if (!op.pool) {
      for (int64_t i = 0; i < plane; ++i) {
        const T g = scale * in[i] + shift <= least ? T{0} : gradient[i];
        target[i] = factor * g + (slope * in[i] + constant);
      }
      continue;
    }
    for (int64_t i = 0; i < plane; ++i) {
      target[i] = slope * in[i] + constant;
    }
    for_windows(
        op, gradient, taken + n * op.channels * out_plane, [&](int64_t place, T g, int64_t) {
          target[place] += factor * g;
        });
  }
}

// Attributes that compile a function several times do not go onto templates: one plain function per
// type.
#define COPPICE_KERNELS(T)                                                              \
  COPPICE_FOR_EVERY_CPU Moments2 moments_compiled(const NormReluPool& op, const T* x) { \
    return moments_of<T>(op, x);                                                        \
  }                                                                                     \
  COPPICE_FOR_EVERY_CPU void forward_compiled(                                          \
      const NormReluPool& op, const T* x, T scale, T shift, T* y, Taken* taken) {       \
    forward_of<T>(op, x, scale, shift, y, taken);                                       \
  }                                                                                     \
  COPPICE_FOR_EVERY_CPU GradientSums backward_sums_compiled(const NormReluPool& op,     \
                                                            const T* x,                 \
                                                            const T* dy,                \
                                                            const Taken* taken,         \
                                                            T scale,                    \
                                                            T shift,                    \
                                                            T mean) {                   \
    return backward_sums_of<T>(op, x, dy, taken, scale, shift, mean);                   \
  }                                                                                     \
  COPPICE_FOR_EVERY_CPU void backward_input_compiled(const NormReluPool& op,            \
                                                     const T* x,                        \
                                                     const T* dy,                       \
                                                     const Taken* taken,                \
                                                     T scale,                           \
                                                     T shift,                           \
                                                     T mean,                            \
                                                     const InputGradient<T>& rule,      \
                                                     T* dx) {                           \
    backward_input_of<T>(op, x, dy, taken, scale, shift, mean, rule, dx);               \
  }
COPPICE_KERNELS(float)
COPPICE_KERNELS(double)
#undef COPPICE_KERNELS

}  // namespace

template <class T>
Moments2 ChannelKernels<T>::moments(const NormReluPool& op, const T* x) {
  return moments_compiled(op, x);
}

template <class T>
void ChannelKernels<T>::forward(
    const NormReluPool& op, const T* x, T scale, T shift, T* y, Taken* taken) {
  forward_compiled(op, x, scale, shift, y, taken);
}

template <class T>
GradientSums ChannelKernels<T>::backward_sums(
    const NormReluPool& op, const T* x, const T* dy, const Taken* taken, T scale, T shift, T mean) {
  return backward_sums_compiled(op, x, dy, taken, scale, shift, mean);
}

template <class T>
void ChannelKernels<T>::backward_input(const NormReluPool& op,
                                       const T* x,
                                       const T* dy,
                                       const Taken* taken,
                                       T scale,
                                       T shift,
                                       T mean,
                                       const InputGradient<T>& rule,
                                       T* dx) {
  backward_input_compiled(op, x, dy, taken, scale, shift, mean, rule, dx);
}

template struct ChannelKernels<float>;
template struct ChannelKernels<double>;

}  // namespace coppice::train
