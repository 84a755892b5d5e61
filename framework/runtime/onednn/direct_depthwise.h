#pragma once

#include <cstddef>
#include <vector>

#include "runtime/onednn/direct_end.h"
#include "runtime/onednn/library.h"
#include "runtime/onednn/padded_image.h"
#include "runtime/onednn/stage.h"

namespace coppice::runtime::onednn {

/// Filters as the kernel reads them, for `period` blocks of 64 bytes; values per channel stand in
/// the order of the sums.
struct DepthwiseTables {
  DirectEnd end;
  std::vector<int64_t> taps;       ///< bytes from a segment's start; a multiple of 4 of them
  int64_t segment_bytes = 0;       ///< that lie together
  size_t period = 1;               ///< blocks with filters of their own
  std::vector<std::byte> filters;  ///< [period][groups of 4 taps][64][4]
  std::vector<int32_t> starts;     ///< [period][64]: what the sums begin with
  std::vector<float> biases;
  std::vector<float> multipliers;
};

/// Depthwise convolution (one filter per channel) of channels-last bytes. Its integers are those of
/// the reference backend.
///
/// A row is computed 64 bytes at a time, whatever channels they belong to: a tap reads the same
/// place a whole number of pixels further on, and filters are packed for as many blocks as it takes
/// until the channels come round again. Four taps are brought together for each instruction.
class DirectDepthwise {
 public:
  /// Whether it computes this: a stride of 1 along rows, as otherwise oneDNN is faster.
  static bool takes(const Product& product, graph::DType x_dtype, graph::DType out_dtype);

  /// REQUIRES: takes(); `x` and `out`: NCHW.
  DirectDepthwise(const Product& product,
                  const dnnl::memory::dims& x,
                  graph::DType x_dtype,
                  const dnnl::memory::dims& out,
                  graph::DType out_dtype);

  /// Of the scratch that `run` needs.
  int64_t scratch_bytes() const { return frame_.bytes(); }

  void run(const std::byte* images, std::byte* out, std::byte* scratch) const;

 private:
  void pack(const Product& product);
  /// The channel at a place of the packed blocks; -1 behind the last.
  int64_t channel_at(int64_t place) const;

  int64_t batch_;
  int64_t channels_;
  int64_t out_height_;
  PaddedImage frame_;
  DepthwiseTables tables_;
  int64_t row_step_ = 0;      ///< bytes between the first taps of neighbouring rows
  int64_t segments_ = 1;      ///< parts of a row that lie apart: 1, or a pixel each
  int64_t segment_step_ = 0;  ///< bytes between their first taps
};

}  // namespace coppice::runtime::onednn
