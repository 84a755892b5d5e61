#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/onednn/direct_end.h"
#include "runtime/onednn/library.h"

namespace coppice::runtime::onednn {

/// Depthwise convolution of channels-last floats: one input channel for each output channel, any
/// kernel, stride and dilation. Edges take fewer taps, so no frame of zeros is needed.
class DirectFloatDepthwise {
 public:
  static bool takes(const Product& product, graph::DType x_dtype, graph::DType out_dtype);

  /// REQUIRES: takes(). `x` and `out`: NCHW.
  DirectFloatDepthwise(const Product& product,
                       const dnnl::memory::dims& x,
                       const dnnl::memory::dims& out);

  void run(const float* x, float* out) const;

  /// One dimension of the image.
  struct Axis {
    int64_t in = 0;
    int64_t out = 0;
    int64_t kernel = 1;
    int64_t stride = 1;
    int64_t dilation = 1;
    int64_t pad = 0;

    /// Where tap 0 of an output lies, maybe outside of the image.
    int64_t begin(int64_t place) const { return place * stride - pad; }

    /// The taps [first, last) of an output that lie inside.
    int64_t first_tap(int64_t place) const;
    int64_t last_tap(int64_t place) const;
  };

 private:
  /// Neighbours in a row that see the same taps.
  struct Strip {
    int64_t pixel = 0;
    int64_t pixels = 1;
    int64_t first_tap = 0;
    int64_t taps = 1;
  };

  static std::vector<Strip> strips_of(const Axis& axis);

  void run_row(const float* image, int64_t line, float* out) const;

  int64_t batch_ = 1;
  int64_t channels_ = 0;
  Axis down_;
  Axis across_;
  std::vector<Strip> strips_;  ///< of a row of the output
  DirectEnd end_;
  graph::Tensor weights_;  ///< [vectors of channels][taps][16]
  std::vector<float> biases_;
};

}  // namespace coppice::runtime::onednn
