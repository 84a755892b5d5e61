#pragma once

#include <cstdint>

namespace coppice::runtime::onednn {

/// Mean over the pixels of images [batch, pixels, channels], in floats, pixel after pixel.
struct PixelMean {
  int64_t batch = 1;
  int64_t pixels = 1;
  int64_t channels = 1;

  /// `x` [batch, pixels, channels] to `out` [batch, channels].
  void run(const float* x, float* out) const;
};

}  // namespace coppice::runtime::onednn
