#pragma once

#include <cstdint>
#include <string>

#include "runtime/xnnpack/builder.h"

namespace coppice::runtime::xnnpack {

/// A Conv, or a Gemm as a convolution of one pixel, as XNNPACK's convolutions take it.
struct Convolution {
  graph::ConvAttributes attributes;
  std::string input;     ///< an image, or rows [n, features]
  graph::Tensor weight;  ///< [out, kernel height, kernel width, in / groups]
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  int64_t height = 1;  ///< of the input
  int64_t width = 1;
};

/// `input` names what `layer` reads and `weight` its weights in the graph's order. A Flatten of an
/// image before a Gemm is absorbed: the weights take the order of the channels-last image.
Convolution convolution_of(const ModelIndex& index,
                           const graph::Node& layer,
                           const std::string& input,
                           const graph::Tensor& weight);

/// Floats; `bias` per output channel, or nullptr.
Operator make_convolution(const Convolution& convolution, const float* bias, float low, float high);

}  // namespace coppice::runtime::xnnpack
