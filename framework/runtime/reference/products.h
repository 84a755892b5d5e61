#pragma once

#include <algorithm>
#include <cstdint>

#include "graph/op.h"

namespace coppice::runtime::reference {

/// Sizes of a convolution of [batch, in, height, width] with [out, in / groups, kernel…].
struct ConvGeometry {
  const graph::ConvAttributes& attributes;
  int64_t batch = 1;
  int64_t in_channels = 1;
  int64_t height = 1;
  int64_t width = 1;
  int64_t out_channels = 1;
  int64_t out_height = 1;
  int64_t out_width = 1;
};

/// Accumulates a row of the output at a time and hands over pieces of it:
/// store(sample, channel, place of the first value in the plane, sums, count).
/// Padding counts as the real value 0, which is `x_zero` in quantised values.
template <class X, class W, class Sum, class Store>
void convolve(const ConvGeometry& g, const X* x, const W* w, Sum x_zero, Store store) {
  constexpr int64_t kPiece = 64;
  const graph::ConvAttributes& a = g.attributes;
  const int64_t in_per_group = g.in_channels / a.groups;
  const int64_t out_per_group = g.out_channels / a.groups;
  const int64_t kernel_size = a.kernel[0] * a.kernel[1];
  const int64_t stride = a.stride[1];
  for (int64_t row = 0; row < g.batch * g.out_channels * g.out_height; ++row) {
    const int64_t oh = row % g.out_height;
    const int64_t oc = row / g.out_height % g.out_channels;
    const int64_t n = row / (g.out_height * g.out_channels);
    const W* filter = w + oc * in_per_group * kernel_size;
    const X* image =
        x + (n * g.in_channels + oc / out_per_group * in_per_group) * g.height * g.width;
    for (int64_t ow = 0; ow < g.out_width; ow += kPiece) {
      const int64_t count = std::min(kPiece, g.out_width - ow);
      Sum sums[kPiece] = {};
      for (int64_t line = 0; line < in_per_group * a.kernel[0]; ++line) {
        const int64_t ih = oh * a.stride[0] - a.pads[0] + line % a.kernel[0] * a.dilation[0];
        if (ih < 0 || ih >= g.height) {
          continue;
        }
        const X* pixels = image + (line / a.kernel[0] * g.height + ih) * g.width;
        for (int64_t kw = 0; kw < a.kernel[1]; ++kw) {
          const int64_t iw = ow * stride - a.pads[1] + kw * a.dilation[1];
          const int64_t first = iw >= 0 ? 0 : (-iw + stride - 1) / stride;
          const int64_t last = iw >= g.width ? 0 : std::min(count, (g.width - 1 - iw) / stride + 1);
          const Sum weight{filter[line * a.kernel[1] + kw]};
          for (int64_t i = first; i < last; ++i) {
            sums[i] += weight * (static_cast<Sum>(pixels[iw + i * stride]) - x_zero);
          }
        }
      }
      store(n, oc, oh * g.out_width + ow, sums, count);
    }
  }
}

struct GemmGeometry {
  int64_t rows = 1;
  int64_t in = 1;
  int64_t out = 1;
};

/// Rows of x [rows, in] times rows of w [out, in]: store(row, output, 0, sum, 1).
template <class X, class W, class Sum, class Store>
void multiply(const GemmGeometry& g, const X* x, const W* w, Sum x_zero, Store store) {
  const int64_t in = g.in;
  for (int64_t row = 0; row < g.rows; ++row) {
    for (int64_t o = 0; o < g.out; ++o) {
      Sum sum = 0;
      for (int64_t i = 0; i < in; ++i) {
        sum += static_cast<Sum>(w[o * in + i]) * (static_cast<Sum>(x[row * in + i]) - x_zero);
      }
      store(row, o, int64_t{0}, &sum, int64_t{1});
    }
  }
}

}  // namespace coppice::runtime::reference
