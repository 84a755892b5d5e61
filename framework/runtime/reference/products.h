#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

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

/// What products are made of: 16 bits hold a byte less any zero point, and compilers multiply
/// vectors of them.
template <class Sum>
using Factor = std::conditional_t<std::is_same_v<Sum, int32_t>, int16_t, Sum>;

/// values[i] = row[first + i * stride] - zero; 0 outside the row, where the padding is.
template <class X, class Value>
void gather(const X* row,
            int64_t width,
            int64_t first,
            int64_t stride,
            Value zero,
            int64_t count,
            Value* values) {
  const int64_t begin = first >= 0 ? 0 : std::min(count, (-first + stride - 1) / stride);
  const int64_t past = first >= width ? 0 : (width - 1 - first) / stride + 1;
  const int64_t end = std::clamp(past, begin, count);
  std::fill(values, values + begin, Value{0});
  for (int64_t i = begin; i < end; ++i) {
    values[i] = static_cast<Value>(static_cast<Value>(row[first + i * stride]) - zero);
  }
  std::fill(values + end, values + count, Value{0});
}

/// What `count` outputs of a plane, from `place` on, read by one tap of the kernel. Taps count over
/// the group's input channels, the kernel's rows and its columns, as a filter lies in memory.
template <class X, class Value>
void gather_tap(const ConvGeometry& g,
                const X* image,
                int64_t tap,
                Value zero,
                int64_t place,
                int64_t count,
                Value* values) {
  const graph::ConvAttributes& a = g.attributes;
  const int64_t kernel_size = a.kernel[0] * a.kernel[1];
  const int64_t top = tap % kernel_size / a.kernel[1] * a.dilation[0] - a.pads[0];
  const int64_t left = tap % a.kernel[1] * a.dilation[1] - a.pads[1];
  const X* channel = image + tap / kernel_size * g.height * g.width;
  int64_t oh = place / g.out_width;
  int64_t ow = place % g.out_width;
  for (int64_t done = 0; done < count; ++oh, ow = 0) {
    const int64_t part = std::min(g.out_width - ow, count - done);
    const int64_t ih = oh * a.stride[0] + top;
    const int64_t iw = ow * a.stride[1] + left;
    if (ih >= 0 && ih < g.height) {
      gather(channel + ih * g.width, g.width, iw, a.stride[1], zero, part, values + done);
    } else {
      std::fill(values + done, values + done + part, Value{0});
    }
    done += part;
  }
}

/// Accumulates pieces of the output's planes, of several channels together that read the same
/// input, and hands them over: store(sample, channel, place of the first value in the plane, sums,
/// count). A sum goes over the taps in order. Padding counts as the real value 0, which is `x_zero`
/// in quantised values.
template <class X, class W, class Sum, class Store>
void convolve(const ConvGeometry& g, const X* x, const W* w, Sum x_zero, Store store) {
  constexpr int64_t kPiece = 64;
  constexpr int64_t kChannels = 16;
  constexpr int64_t kLanes = 16;
  const graph::ConvAttributes& a = g.attributes;
  const int64_t in_per_group = g.in_channels / a.groups;
  const int64_t out_per_group = g.out_channels / a.groups;
  const int64_t taps = in_per_group * a.kernel[0] * a.kernel[1];
  const int64_t plane = g.out_height * g.out_width;
  const auto zero = static_cast<Factor<Sum>>(x_zero);

  const auto accumulate = [&](int64_t n, int64_t oc, int64_t channels, int64_t place) {
    const int64_t count = std::min(kPiece, plane - place);
    const int64_t ic = oc / out_per_group * in_per_group;
    const X* image = x + (n * g.in_channels + ic) * g.height * g.width;
    Sum sums[kChannels][kPiece] = {};
    Factor<Sum> values[kPiece] = {};
    for (int64_t tap = 0; tap < taps; ++tap) {
      gather_tap(g, image, tap, zero, place, count, values);
      for (int64_t c = 0; c < channels; ++c) {
        const Factor<Sum> weight{w[(oc + c) * taps + tap]};
        for (int64_t block = 0; block < count; block += kLanes) {
          for (int64_t i = block; i < block + kLanes; ++i) {
            sums[c][i] += weight * values[i];
          }
        }
      }
    }
    for (int64_t c = 0; c < channels; ++c) {
      store(n, oc + c, place, sums[c], count);
    }
  };

  for (int64_t n = 0; n < g.batch; ++n) {
    for (int64_t oc = 0; oc < g.out_channels;) {
      const int64_t channels = std::min(kChannels, out_per_group - oc % out_per_group);
      for (int64_t place = 0; place < plane; place += kPiece) {
        accumulate(n, oc, channels, place);
      }
      oc += channels;
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
