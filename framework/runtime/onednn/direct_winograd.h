#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/onednn/direct_product.h"

namespace coppice::runtime::onednn {

/// Convolution of channels-last floats by 3 x 3 kernels with stride 1, by Winograd's minimal
/// filtering (Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016):
/// F(4 x 4, 3 x 3), 36 products for 16 results, or F(2 x 2, 3 x 3), 16 for 4, where there are so
/// few tiles that reading the larger weights would take longer.
///
/// F(4 x 4) stands on the points 0, ±3/4, ±3/2 and infinity: a result is off by some 1e-6 of the
/// largest one, a sixth of what the customary 0, ±1, ±2 cost.
class DirectWinograd {
 public:
  /// Whether it computes this layer, and is estimated to be faster than the plain sum. `x` and
  /// `out`: NCHW.
  static bool pays(const Product& product,
                   const dnnl::memory::dims& x,
                   graph::DType x_dtype,
                   const dnnl::memory::dims& out,
                   graph::DType out_dtype);

  /// REQUIRES: pays(). The residual is of floats and has the output's shape.
  DirectWinograd(const Product& product,
                 const dnnl::memory::dims& x,
                 const dnnl::memory::dims& out);

  int64_t scratch_bytes() const;

  void run(const std::byte* x, const std::byte* residual, std::byte* out, std::byte* scratch) const;

  /// An image of channels-last floats.
  struct Image {
    int64_t height = 0;
    int64_t width = 0;
    int64_t channels = 0;

    int64_t size() const { return height * width * channels; }
  };

  /// All that a kernel needs to know of where values lie.
  struct Geometry {
    Image in;
    Image out;
    int64_t pad_top = 0;
    int64_t pad_left = 0;
    int64_t down = 0;  ///< tiles
    int64_t across = 0;
    int64_t value_step = 0;  ///< floats between the positions of transformed inputs
    int64_t sum_step = 0;    ///< and of sums
  };

 private:
  template <class Map>
  void run_as(const float* x, const float* residual, float* out, float* scratch) const;
  void multiply(const float* values, float* sums, int64_t tiles) const;
  void pack(const Product& product);

  int64_t tiles() const { return batch_ * geometry_.down * geometry_.across; }

  int64_t batch_ = 1;
  int64_t results_ = 4;  ///< side of a tile of results
  Geometry geometry_;
  ProductTables tables_;  ///< of the product at one position; its weights hold those of all
  DirectEnd end_;
  std::vector<float> biases_;
};

}  // namespace coppice::runtime::onednn
