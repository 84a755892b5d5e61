#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "train/kernels/norm_relu_pool.h"
#include "train/kernels/winograd.h"
#include "train/lowering/batch_norm.h"

namespace coppice::train {

/// nullptr for an undefined tensor.
template <class T>
T* data_of(const at::Tensor& tensor, int64_t offset = 0) {
  return tensor.defined() ? tensor.data_ptr<T>() + offset : nullptr;
}

/// A batch in parts for threads, and these in ranges that are worked on at once. Sums of the parts
/// do not depend on how many threads there are.
struct ImageParts {
  static constexpr int64_t kMostParts = 16;

  NormReluPool op;
  int64_t together;  ///< samples of a range
  int64_t count;

  /// Ranges are whole parts.
  explicit ImageParts(const NormReluPool& whole)
      : op(whole), together(whole.samples), count(std::min(whole.samples, kMostParts)) {}

  /// Ranges are what the convolution takes at once.
  ImageParts(const NormReluPool& whole, const Winograd& convolution)
      : op(whole),
        together(convolution.samples_together()),
        count(std::clamp<int64_t>(whole.samples / together, 1, kMostParts)) {}

  /// Calls body(part, the op for a range, its first sample, scratch) over threads; `scratch` has
  /// that many floats.
  template <class Body>
  void for_ranges(int64_t scratch, Body body) const {
    at::parallel_for(0, count, 1, [&](int64_t first, int64_t last) {
      const at::Tensor own_scratch = at::empty({scratch}, at::kFloat);
      for (int64_t part = first; part < last; ++part) {
        const int64_t end = op.samples * (part + 1) / count;
        NormReluPool range = op;
        for (int64_t begin = op.samples * part / count; begin < end; begin += range.samples) {
          range.samples = std::min(together, end - begin);
          body(part, range, begin, own_scratch.data_ptr<float>());
        }
      }
    });
  }

  /// body(op for a range, first sample, scratch, sums, sums) adds what a range gives.
  template <class Body>
  ChannelSums sum(int64_t scratch, Body body) const {
    std::vector<ChannelSums> of_parts(static_cast<size_t>(count), ChannelSums(op.channels));
    for_ranges(scratch, [&](int64_t part, const NormReluPool& range, int64_t begin, float* own) {
      ChannelSums& sums = of_parts[static_cast<size_t>(part)];
      body(range, begin, own, sums);
    });
    ChannelSums all(op.channels);
    for (const ChannelSums& sums : of_parts) {
      for (size_t c = 0; c < all.first.size(); ++c) {
        all.first[c] += sums.first[c];
        all.second[c] += sums.second[c];
      }
    }
    return all;
  }
};

}  // namespace coppice::train
