#pragma once

#include <cstdint>

namespace coppice::train {

/// Convolution of images by 3 x 3 kernels with stride 1 and a border of one zero, by Winograd's
/// minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray, "Fast algorithms for convolutional neural
/// networks", CVPR 2016): a tile of 4 x 4 results takes 36 products for a pair of channels, not
/// 144.
///
/// Images are [samples, height, width, channels] floats, 64-byte aligned, weights [out, in, 3, 3].
/// "Transformed" are weights as [36, in, out]. A result is off by some 5e-6 of the largest one, ten
/// times as much as by the plain sum.
struct Winograd {
  static constexpr int64_t kPositions = 36;

  int64_t samples = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t in = 0;   ///< channels; a multiple of 16
  int64_t out = 0;  ///< channels; a multiple of 16

  /// Whether this machine (AVX-512) and shape gain by it. Says no to other numbers of channels.
  bool pays() const;

  /// That of the gradient by the input, which is a convolution of the gradient by the result.
  Winograd turned() const { return {samples, height, width, out, in}; }

  int64_t tiles_down() const { return (height + 3) / 4; }

  int64_t tiles_across() const { return (width + 3) / 4; }

  int64_t tiles() const { return samples * tiles_down() * tiles_across(); }

  /// How many samples to give at once: they fill the blocks of tiles that products are made of.
  int64_t samples_together() const;
  /// Floats of working memory for a thread, 64-byte aligned.
  int64_t scratch() const;

  int64_t transformed() const { return kPositions * in * out; }
};

/// `turn`: for the convolution op.turned() that makes the gradient by the input; [36, out, in].
void winograd_weights(const Winograd& op, const float* weights, bool turn, float* transformed);

/// `added`: null, or as many values as results, which they are added to.
void winograd_forward(const Winograd& op,
                      const float* x,
                      const float* transformed,
                      const float* added,
                      float* y,
                      float* scratch);

/// Adds to the gradient by the transformed weights.
void winograd_gradient(
    const Winograd& op, const float* x, const float* dy, float* transformed, float* scratch);

/// Of the gradient by the transformed weights, a sum of `parts` that lie one behind the other, that
/// by the weights.
void winograd_weight_gradient(const Winograd& op,
                              int64_t parts,
                              const float* transformed,
                              float* weights);

}  // namespace coppice::train
