#include "train/kernels/norm_relu_pool.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define COPPICE_FOR_EVERY_CPU \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define COPPICE_FOR_EVERY_CPU
#endif
#define COPPICE_INLINE inline __attribute__((always_inline))
#define COPPICE_INLINE_BODY \
  __attribute__((always_inline))     // a lambda that stays a call is not vector code
#define COPPICE_RESTRICT __restrict  // no array overlaps another: loops become vector code

namespace coppice::train {

namespace {

constexpr int64_t kRun = 1024;   // values worked on before the next ones are looked at
constexpr int64_t kFlush = 8;    // runs that are added up in T before they go to double
constexpr int64_t kVector = 64;  // bytes

/// Partial sums of two quantities in T, emptied into doubles by channel before they lose digits.
template <class T>
class TwoSums {
 public:
  TwoSums(int64_t channels, int64_t times)
      : channels_(channels),
        first_(static_cast<size_t>(channels * times)),
        second_(first_.size()) {}

  T* first() { return first_.data(); }

  T* second() { return second_.data(); }

  void flush(double* first, double* second) {
    for (size_t i = 0; i < first_.size(); i += static_cast<size_t>(channels_)) {
      for (size_t c = 0; c < static_cast<size_t>(channels_); ++c) {
        first[c] += static_cast<double>(first_[i + c]);
        second[c] += static_cast<double>(second_[i + c]);
      }
    }
    std::fill(first_.begin(), first_.end(), T{0});
    std::fill(second_.begin(), second_.end(), T{0});
  }

 private:
  int64_t channels_;
  std::vector<T> first_;
  std::vector<T> second_;
};

/// What is below becomes this; NaN passes.
template <class T>
COPPICE_INLINE T floor_of(const NormReluPool& op) {
  return op.relu ? T{0} : -std::numeric_limits<T>::infinity();
}

/// 64 bytes of neighbouring channels, worked on at once: GCC turns choices (of a ReLU, of a pooling
/// window) into jumps where it is left to find the vector code itself.
template <class T>
struct Simd {
  using Vector __attribute__((vector_size(kVector))) = T;
  static constexpr int64_t kLanes = kVector / sizeof(T);

  int64_t count = kLanes;  ///< lanes in use

  COPPICE_INLINE Vector load(const T* from) const {
    Vector result = {};
    if (count == kLanes) {
      std::memcpy(&result, from, sizeof(result));
    } else {
      std::memcpy(&result, from, static_cast<size_t>(count) * sizeof(T));
    }
    return result;
  }

  COPPICE_INLINE void store(const Vector& values, T* to) const {
    if (count == kLanes) {
      std::memcpy(to, &values, sizeof(values));
    } else {
      std::memcpy(to, &values, static_cast<size_t>(count) * sizeof(T));
    }
  }

  /// Calls body(first, its lanes) for pieces of [0, count).
  template <class Body>
  static COPPICE_INLINE void for_each(int64_t count, Body body) {
    const int64_t whole = count - count % kLanes;
    for (int64_t c = 0; c < whole; c += kLanes) {
      body(c, Simd{});
    }
    if (whole < count) {
      body(whole, Simd{count - whole});
    }
  }
};

/// Channels as they follow one another in memory: the shortest stretch that is a number of whole
/// pixels and of whole vectors. In each of its vectors a lane is of the same channel all along.
template <class T>
struct Stretch {
  int64_t channels;
  int64_t size = std::lcm(channels, Simd<T>::kLanes);

  explicit Stretch(const NormReluPool& op) : channels(op.channels) {}

  /// `values` by channel for all of it.
  std::vector<T> spread(const T* values) const {
    std::vector<T> all;
    all.reserve(static_cast<size_t>(size));
    for (int64_t i = 0; i < size; i += channels) {
      all.insert(all.end(), values, values + channels);
    }
    return all;
  }

  /// For pieces of [0, total) calls body(place in the stretch, first value, how many vectors, their
  /// lanes): the vectors at that place, a stretch apart, so that what belongs to a channel stays in
  /// registers. after_each_few() comes now and then, and at the end.
  template <class Body, class Then>
  COPPICE_INLINE void for_all(int64_t total, Body body, Then after_each_few) const {
    const int64_t whole = total - total % size;
    const int64_t run = std::max<int64_t>(kRun / size, 1);
    int64_t runs = 0;
    for (int64_t first = 0; first < whole; first += run * size) {
      const int64_t count = std::min(run, (whole - first) / size);
      for (int64_t at = 0; at < size; at += Simd<T>::kLanes) {
        body(at, first + at, count, Simd<T>{});
      }
      if (++runs % kFlush == 0) {
        after_each_few();
      }
    }
    for (int64_t at = 0; at < total - whole; at += Simd<T>::kLanes) {
      body(at, whole + at, int64_t{1}, Simd<T>{std::min(Simd<T>::kLanes, total - whole - at)});
    }
    after_each_few();
  }
};

template <class T>
COPPICE_INLINE void sums_of(
    const NormReluPool& op, const T* x, const T* centre, double* sum, double* squares) {
  const Stretch<T> stretch(op);
  const std::vector<T> centres = stretch.spread(centre);
  TwoSums<T> partial(op.channels, stretch.size / op.channels);
  stretch.for_all(
      op.samples * op.in_size(),
      [&](int64_t at, int64_t first, int64_t count, const Simd<T>& simd) COPPICE_INLINE_BODY {
        const auto k = simd.load(centres.data() + at);
        auto s = simd.load(partial.first() + at);
        auto q = simd.load(partial.second() + at);
        for (int64_t i = 0; i < count; ++i) {
          const auto away = simd.load(x + first + i * stretch.size) - k;
          s += away;
          q += away * away;
        }
        simd.store(s, partial.first() + at);
        simd.store(q, partial.second() + at);
      },
      [&] { partial.flush(sum, squares); });
}

/// a x + b, and the residual where there is one.
template <class T>
COPPICE_INLINE typename Simd<T>::Vector before_relu(const Simd<T>& simd,
                                                    const typename Simd<T>::Vector& a,
                                                    const typename Simd<T>::Vector& b,
                                                    const typename Simd<T>::Vector& x,
                                                    const T* residual,
                                                    int64_t at) {
  const auto value = a * x + b;
  return residual == nullptr ? value : value + simd.load(residual + at);
}

/// The four values of a pooling window after scale and shift. The first of equals is taken.
template <class T>
struct Window {
  using Vector = typename Simd<T>::Vector;
  using Mask = decltype(Vector{} > Vector{});

  Vector best;
  Mask upper_right;  ///< the right one of the upper two is the larger
  Mask lower_right;
  Mask is_lower;  ///< and the lower two hold the largest

  COPPICE_INLINE Window(const Vector& v0, const Vector& v1, const Vector& v2, const Vector& v3) {
    upper_right = v1 > v0;
    lower_right = v3 > v2;
    const Vector upper = upper_right ? v1 : v0;
    const Vector lower = lower_right ? v3 : v2;
    is_lower = lower > upper;
    best = is_lower ? lower : upper;
  }
};

/// Calls body(offset of a row of windows in the input, offset of its row in the output).
template <class Body>
COPPICE_INLINE void for_window_rows(const NormReluPool& op, Body body) {
  for (int64_t n = 0; n < op.samples; ++n) {
    for (int64_t row = 0; row < op.out_height(); ++row) {
      body(n * op.in_size() + 2 * row * op.width * op.channels,
           n * op.out_size() + row * op.out_width() * op.channels);
    }
  }
}

/// Calls body(offset of the window's first pixel in the input, offset of its pixel in the output).
template <class Body>
COPPICE_INLINE void for_windows(const NormReluPool& op, Body body) {
  for_window_rows(op, [&](int64_t in, int64_t out) COPPICE_INLINE_BODY {
    for (int64_t column = 0; column < op.out_width(); ++column) {
      body(in + 2 * column * op.channels, out + column * op.channels);
    }
  });
}

template <class T>
COPPICE_INLINE void forward_of(
    const NormReluPool& op, const T* x, const T* residual, const NormParameters<T>& norm, T* y) {
  const T least = floor_of<T>(op);
  const int64_t channels = op.channels;
  if (op.pool) {
    const int64_t row = op.width * channels;
    for_windows(op, [&](int64_t in, int64_t out) COPPICE_INLINE_BODY {
      Simd<T>::for_each(channels, [&](int64_t c, const Simd<T>& simd) COPPICE_INLINE_BODY {
        const T* p = x + in + c;
        const auto a = simd.load(norm.scale + c);
        const auto b = simd.load(norm.shift + c);
        const typename Simd<T>::Vector zero = {};
        const Window<T> window(a * simd.load(p) + b,
                               a * simd.load(p + channels) + b,
                               a * simd.load(p + row) + b,
                               a * simd.load(p + row + channels) + b);
        simd.store(window.best <= least ? least + zero : window.best, y + out + c);
      });
    });
    return;
  }
  const Stretch<T> stretch(op);
  const std::vector<T> scales = stretch.spread(norm.scale);
  const std::vector<T> shifts = stretch.spread(norm.shift);
  stretch.for_all(
      op.samples * op.in_size(),
      [&](int64_t at, int64_t first, int64_t count, const Simd<T>& simd) COPPICE_INLINE_BODY {
        const auto a = simd.load(scales.data() + at);
        const auto b = simd.load(shifts.data() + at);
        for (int64_t i = first; i < first + count * stretch.size; i += stretch.size) {
          const auto value = before_relu(simd, a, b, simd.load(x + i), residual, i);
          const typename Simd<T>::Vector zero = {};
          simd.store(value <= least ? least + zero : value, y + i);
        }
      },
      [] {});
}

template <class T>
COPPICE_INLINE void backward_sums_of(const NormReluPool& op,
                                     const T* x,
                                     const T* residual,
                                     const T* dy,
                                     const NormParameters<T>& norm,
                                     const T* mean,
                                     double* of_gradient,
                                     double* of_gradient_times_x,
                                     T* gradient) {
  const T least = floor_of<T>(op);
  const int64_t channels = op.channels;
  if (op.pool) {
    const int64_t row = op.width * channels;
    TwoSums<T> partial(channels, 1);
    int64_t rows = 0;
    for_window_rows(op, [&](int64_t in, int64_t out) COPPICE_INLINE_BODY {
      Simd<T>::for_each(channels, [&](int64_t c, const Simd<T>& simd) COPPICE_INLINE_BODY {
        const auto a = simd.load(norm.scale + c);
        const auto b = simd.load(norm.shift + c);
        const auto m = simd.load(mean + c);
        typename Simd<T>::Vector s = {};
        typename Simd<T>::Vector q = {};
        for (int64_t column = 0; column < op.out_width(); ++column) {
          const T* p = x + in + 2 * column * channels + c;
          const auto x0 = simd.load(p);
          const auto x1 = simd.load(p + channels);
          const auto x2 = simd.load(p + row);
          const auto x3 = simd.load(p + row + channels);
          const Window<T> w(a * x0 + b, a * x1 + b, a * x2 + b, a * x3 + b);
          const auto of_upper = w.upper_right ? x1 : x0;
          const auto of_lower = w.lower_right ? x3 : x2;
          const auto taken = w.is_lower ? of_lower : of_upper;
          const typename Simd<T>::Vector zero = {};
          const auto g = w.best <= least ? zero : simd.load(dy + out + column * channels + c);
          s += g;
          q += g * (taken - m);
        }
        simd.store(simd.load(partial.first() + c) + s, partial.first() + c);
        simd.store(simd.load(partial.second() + c) + q, partial.second() + c);
      });
      if (++rows % kFlush == 0) {
        partial.flush(of_gradient, of_gradient_times_x);
      }
    });
    partial.flush(of_gradient, of_gradient_times_x);
    return;
  }
  const Stretch<T> stretch(op);
  const std::vector<T> scales = stretch.spread(norm.scale);
  const std::vector<T> shifts = stretch.spread(norm.shift);
  const std::vector<T> means = stretch.spread(mean);
  TwoSums<T> partial(channels, stretch.size / channels);
  stretch.for_all(
      op.samples * op.in_size(),
      [&](int64_t at, int64_t first, int64_t count, const Simd<T>& simd) COPPICE_INLINE_BODY {
        const auto a = simd.load(scales.data() + at);
        const auto b = simd.load(shifts.data() + at);
        const auto m = simd.load(means.data() + at);
        auto s = simd.load(partial.first() + at);
        auto q = simd.load(partial.second() + at);
        for (int64_t i = first; i < first + count * stretch.size; i += stretch.size) {
          const auto in = simd.load(x + i);
          const auto value = before_relu(simd, a, b, in, residual, i);
          const typename Simd<T>::Vector zero = {};
          const auto g = value <= least ? zero : simd.load(dy + i);
          s += g;
          q += g * (in - m);
          if (gradient != nullptr) {
            simd.store(g, gradient + i);
          }
        }
        simd.store(s, partial.first() + at);
        simd.store(q, partial.second() + at);
      },
      [&] { partial.flush(of_gradient, of_gradient_times_x); });
}

/// Pixels that no window covers have no gradient of their own.
template <class T>
COPPICE_INLINE void fill_uncovered(const NormReluPool& op,
                                   const T* x,
                                   const InputGradient<T>& rule,
                                   T* dx) {
  const auto fill = [&](int64_t first, int64_t pixels) COPPICE_INLINE_BODY {
    for (int64_t i = 0; i < pixels * op.channels; ++i) {
      const int64_t c = i % op.channels;
      dx[first + i] = rule.slope[c] * x[first + i] + rule.constant[c];
    }
  };
  for (int64_t n = 0; n < op.samples; ++n) {
    const int64_t sample = n * op.in_size();
    if (op.width % 2 != 0) {
      for (int64_t row = 0; row < op.height; ++row) {
        fill(sample + (row * op.width + op.width - 1) * op.channels, 1);
      }
    }
    if (op.height % 2 != 0) {
      fill(sample + (op.height - 1) * op.width * op.channels, op.width);
    }
  }
}

template <class T>
COPPICE_INLINE void backward_input_of(const NormReluPool& op,
                                      const T* x,
                                      const T* dy,
                                      const NormParameters<T>& norm,
                                      const InputGradient<T>& rule,
                                      T* dx) {
  const T least = floor_of<T>(op);
  const int64_t channels = op.channels;
  if (op.pool) {
    const int64_t row = op.width * channels;
    fill_uncovered(op, x, rule, dx);
    for_windows(op, [&](int64_t in, int64_t out) COPPICE_INLINE_BODY {
      Simd<T>::for_each(channels, [&](int64_t c, const Simd<T>& simd) COPPICE_INLINE_BODY {
        const T* p = x + in + c;
        T* target = dx + in + c;
        const auto a = simd.load(norm.scale + c);
        const auto b = simd.load(norm.shift + c);
        const auto slope = simd.load(rule.slope + c);
        const auto constant = simd.load(rule.constant + c);
        const auto x0 = simd.load(p);
        const auto x1 = simd.load(p + channels);
        const auto x2 = simd.load(p + row);
        const auto x3 = simd.load(p + row + channels);
        const Window<T> w(a * x0 + b, a * x1 + b, a * x2 + b, a * x3 + b);
        const typename Simd<T>::Vector zero = {};
        const auto g = w.best <= least ? zero : a * simd.load(dy + out + c);
        const auto to_upper = w.is_lower ? zero : g;
        const auto to_lower = w.is_lower ? g : zero;
        simd.store((w.upper_right ? zero : to_upper) + (slope * x0 + constant), target);
        simd.store((w.upper_right ? to_upper : zero) + (slope * x1 + constant), target + channels);
        simd.store((w.lower_right ? zero : to_lower) + (slope * x2 + constant), target + row);
        simd.store((w.lower_right ? to_lower : zero) + (slope * x3 + constant),
                   target + row + channels);
      });
    });
    return;
  }
  const Stretch<T> stretch(op);
  const std::vector<T> scales = stretch.spread(norm.scale);
  const std::vector<T> shifts = stretch.spread(norm.shift);
  const std::vector<T> slopes = stretch.spread(rule.slope);
  const std::vector<T> constants = stretch.spread(rule.constant);
  stretch.for_all(
      op.samples * op.in_size(),
      [&](int64_t at, int64_t first, int64_t count, const Simd<T>& simd) COPPICE_INLINE_BODY {
        const auto a = simd.load(scales.data() + at);
        const auto b = simd.load(shifts.data() + at);
        const auto slope = simd.load(slopes.data() + at);
        const auto constant = simd.load(constants.data() + at);
        for (int64_t i = first; i < first + count * stretch.size; i += stretch.size) {
          const auto in = simd.load(x + i);
          const typename Simd<T>::Vector zero = {};
          const auto g = a * in + b <= least ? zero : simd.load(dy + i);
          simd.store(a * g + (slope * in + constant), dx + i);
        }
      },
      [] {});
}

// Attributes that compile a function several times do not go onto templates: one plain function per
// type.
#define COPPICE_KERNELS(T)                                                                 \
  COPPICE_FOR_EVERY_CPU void sums_compiled(                                                \
      const NormReluPool& op, const T* x, const T* centre, double* sum, double* squares) { \
    sums_of<T>(op, x, centre, sum, squares);                                               \
  }                                                                                        \
  COPPICE_FOR_EVERY_CPU void forward_compiled(const NormReluPool& op,                      \
                                              const T* x,                                  \
                                              const T* residual,                           \
                                              const NormParameters<T>& norm,               \
                                              T* y) {                                      \
    forward_of<T>(op, x, residual, norm, y);                                               \
  }                                                                                        \
  COPPICE_FOR_EVERY_CPU void backward_sums_compiled(const NormReluPool& op,                \
                                                    const T* x,                            \
                                                    const T* residual,                     \
                                                    const T* dy,                           \
                                                    const NormParameters<T>& norm,         \
                                                    const T* mean,                         \
                                                    double* of_gradient,                   \
                                                    double* of_gradient_times_x,           \
                                                    T* gradient) {                         \
    backward_sums_of<T>(                                                                   \
        op, x, residual, dy, norm, mean, of_gradient, of_gradient_times_x, gradient);      \
  }                                                                                        \
  COPPICE_FOR_EVERY_CPU void backward_input_compiled(const NormReluPool& op,               \
                                                     const T* x,                           \
                                                     const T* dy,                          \
                                                     const NormParameters<T>& norm,        \
                                                     const InputGradient<T>& rule,         \
                                                     T* dx) {                              \
    backward_input_of<T>(op, x, dy, norm, rule, dx);                                       \
  }
COPPICE_KERNELS(float)
COPPICE_KERNELS(double)
#undef COPPICE_KERNELS

}  // namespace

template <class T>
void NormKernels<T>::sums(
    const NormReluPool& op, const T* x, const T* centre, double* sum, double* squares) {
  sums_compiled(op, x, centre, sum, squares);
}

template <class T>
void NormKernels<T>::forward(
    const NormReluPool& op, const T* x, const T* residual, const NormParameters<T>& norm, T* y) {
  forward_compiled(op, x, residual, norm, y);
}

template <class T>
void NormKernels<T>::backward_sums(const NormReluPool& op,
                                   const T* x,
                                   const T* residual,
                                   const T* dy,
                                   const NormParameters<T>& norm,
                                   const T* mean,
                                   double* of_gradient,
                                   double* of_gradient_times_x,
                                   T* gradient) {
  backward_sums_compiled(
      op, x, residual, dy, norm, mean, of_gradient, of_gradient_times_x, gradient);
}

template <class T>
void NormKernels<T>::backward_input(const NormReluPool& op,
                                    const T* x,
                                    const T* dy,
                                    const NormParameters<T>& norm,
                                    const InputGradient<T>& rule,
                                    T* dx) {
  backward_input_compiled(op, x, dy, norm, rule, dx);
}

template struct NormKernels<float>;
template struct NormKernels<double>;

}  // namespace coppice::train
