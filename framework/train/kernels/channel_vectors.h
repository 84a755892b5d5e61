#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "train/kernels/norm_relu_pool.h"

// What the kernels that walk over channels are made of. Always inlined, into functions that are
// compiled once for each instruction set: so for norm_relu_pool.cpp alone.

#define COPPICE_INLINE inline __attribute__((always_inline))
#define COPPICE_INLINE_BODY \
  __attribute__((always_inline))  // a lambda that stays a call is not vector code

namespace coppice::train::kernels {

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

}  // namespace coppice::train::kernels
