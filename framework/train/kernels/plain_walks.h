#pragma once

#include "train/kernels/channel_vectors.h"

namespace coppice::train::kernels {

// Norm, residual and ReLU where nothing is pooled: values in and out lie alike.

template <class T>
COPPICE_INLINE void sums_plain(
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

template <class T>
COPPICE_INLINE void forward_plain(
    const NormReluPool& op, const T* x, const T* residual, const NormParameters<T>& norm, T* y) {
  const T least = floor_of<T>(op);
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
COPPICE_INLINE void backward_sums_plain(const NormReluPool& op,
                                        const T* x,
                                        const T* residual,
                                        const T* dy,
                                        const NormParameters<T>& norm,
                                        const T* mean,
                                        double* of_gradient,
                                        double* of_gradient_times_x,
                                        T* gradient) {
  const T least = floor_of<T>(op);
  const Stretch<T> stretch(op);
  const std::vector<T> scales = stretch.spread(norm.scale);
  const std::vector<T> shifts = stretch.spread(norm.shift);
  const std::vector<T> means = stretch.spread(mean);
  TwoSums<T> partial(op.channels, stretch.size / op.channels);
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

template <class T>
COPPICE_INLINE void backward_input_plain(const NormReluPool& op,
                                         const T* x,
                                         const T* dy,
                                         const NormParameters<T>& norm,
                                         const InputGradient<T>& rule,
                                         T* dx) {
  const T least = floor_of<T>(op);
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

}  // namespace coppice::train::kernels
