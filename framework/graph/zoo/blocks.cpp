#include "graph/zoo/blocks.h"

#include <algorithm>

namespace coppice::graph {

Shape same_pads(const Shape& in_size,
                const Shape& kernel,
                const Shape& stride,
                const Shape& dilation) {
  Shape pads(4, 0);
  for (size_t i = 0; i < 2; ++i) {
    const int64_t span = (kernel[i] - 1) * dilation[i] + 1;
    const int64_t outputs = (in_size[i] + stride[i] - 1) / stride[i];
    const int64_t all = std::max<int64_t>((outputs - 1) * stride[i] + span - in_size[i], 0);
    pads[i] = all / 2;
    pads[2 + i] = all - all / 2;
  }
  return pads;
}

int64_t scaled_width(double width, double multiplier) {
  const double wanted = width * multiplier;
  const auto rounded = std::max<int64_t>(8, static_cast<int64_t>(wanted + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * wanted ? rounded + 8 : rounded;
}

std::string conv_bn(Builder& builder, const std::string& x, const ConvBnOptions& options) {
  const int64_t pad = options.kernel / 2;
  const ConvAttributes conv{.kernel = {options.kernel, options.kernel},
                            .stride = {options.stride, options.stride},
                            .pads = {pad, pad, pad, pad},
                            .groups = options.groups};
  return builder.batch_norm(builder.conv(x, options.width, conv, false), options.scale);
}

std::string DropPath::apply(Builder& builder, const std::string& branch) {
  const double rate = last_ * static_cast<double>(++block_) / static_cast<double>(blocks_);
  return rate > 0 ? builder.dropout(branch, rate, DropoutGrain::Sample) : branch;
}

}  // namespace coppice::graph
