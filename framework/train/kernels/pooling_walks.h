#pragma once

#include "train/kernels/channel_vectors.h"

namespace coppice::train::kernels {

// Norm and ReLU where 2 x 2 pixels become one.

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
COPPICE_INLINE void forward_pooled(const NormReluPool& op,
                                   const T* x,
                                   const NormParameters<T>& norm,
                                   T* y) {
  const T least = floor_of<T>(op);
  const int64_t channels = op.channels;
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
}

template <class T>
COPPICE_INLINE void backward_sums_pooled(const NormReluPool& op,
                                         const T* x,
                                         const T* dy,
                                         const NormParameters<T>& norm,
                                         const T* mean,
                                         double* of_gradient,
                                         double* of_gradient_times_x) {
  const T least = floor_of<T>(op);
  const int64_t channels = op.channels;
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
COPPICE_INLINE void backward_input_pooled(const NormReluPool& op,
                                          const T* x,
                                          const T* dy,
                                          const NormParameters<T>& norm,
                                          const InputGradient<T>& rule,
                                          T* dx) {
  const T least = floor_of<T>(op);
  const int64_t channels = op.channels;
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
}

}  // namespace coppice::train::kernels
