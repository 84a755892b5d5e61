#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "runtime/onednn/direct_end.h"
#include "runtime/onednn/library.h"
#include "runtime/onednn/padded_image.h"
#include "runtime/onednn/stage.h"

namespace coppice::runtime::onednn {

/// A layer as its kernel reads it: weights in blocks of up to 64 output channels (128 for a single
/// row), inputs in words of 4 bytes, each a float or 4 values of 8 bits.
struct ProductTables {
  bool floats = false;
  DirectEnd end;
  int64_t channels = 0;       ///< of the output
  int64_t block_vectors = 4;  ///< of 16 channels, in a whole block
  int64_t runs = 1;           ///< rows of the kernel
  int64_t words = 0;          ///< in a row of the kernel
  int64_t run_step = 0;       ///< bytes between rows of the input
  int64_t pixel_step = 0;     ///< bytes between pixels of the input
  float residual_scale = 0;
  graph::DType residual = graph::DType::F32;
  graph::Tensor weights;        ///< bytes [blocks][runs][words][vectors][16][4]
  std::vector<int32_t> starts;  ///< [channels, to whole vectors]: what the integer sums begin with
  std::vector<float> biases;
  std::vector<float> multipliers;
};

/// Convolution of channels-last images, or a product of rows with a matrix, in floats or 8-bit
/// integers: for layers so small that calling oneDNN costs more than they do. Its integers are
/// those of the reference backend.
///
/// The values that a row of a kernel sees lie together, so a convolution is a product over `runs`
/// such pieces. Up to 6 pixels by 64 channels, or 12 by 32, are summed in registers.
class DirectProduct {
 public:
  /// Whether it computes this: groups of 1, no dilation.
  static bool takes(const Product& product, graph::DType x_dtype, graph::DType out_dtype);

  /// A convolution. REQUIRES: takes(); `x` and `out`: NCHW. The residual has the output's shape.
  DirectProduct(const Product& product,
                const dnnl::memory::dims& x,
                graph::DType x_dtype,
                const dnnl::memory::dims& out,
                graph::DType out_dtype,
                std::optional<graph::DType> residual = std::nullopt);

  /// A product of `rows` rows with a weight [channels, length], which takes the place of the
  /// product's own.
  DirectProduct(const Product& product,
                const void* weight,
                int64_t rows,
                graph::DType x_dtype,
                graph::DType out_dtype);

  /// Of the scratch that `run` needs; 0 where the input is read where it lies.
  int64_t scratch_bytes() const { return framed_ ? frame_.bytes() * batch_ : 0; }

  void run(const std::byte* x, const std::byte* residual, std::byte* out, std::byte* scratch) const;

 private:
  void pack(const Product& product, const void* weight, int64_t length, int64_t run_length);
  void run_block(int64_t first,
                 const std::byte* x,
                 const std::byte* residual,
                 std::byte* out) const;

  int64_t batch_ = 1;
  int64_t lines_ = 1;   ///< of output pixels whose inputs lie pixel_step apart
  int64_t pixels_ = 1;  ///< of a line
  int64_t line_step_ = 0;
  int64_t image_step_ = 0;  ///< bytes between the inputs of a batch
  bool framed_ = false;
  PaddedImage frame_;
  ProductTables tables_;
};

}  // namespace coppice::runtime::onednn
