#pragma once

#include <cstdint>
#include <string>

#include "graph/builder.h"

namespace coppice::graph {

/// Pads with which a window makes ceil(in / stride) outputs, the odd one behind: "SAME" of
/// TensorFlow.
Shape same_pads(const Shape& in_size,
                const Shape& kernel,
                const Shape& stride,
                const Shape& dilation);

/// A width times a multiplier: the nearest multiple of 8 that does not lose more than a tenth, as
/// in the code of MobileNetV2's authors.
int64_t scaled_width(double width, double multiplier);

struct ConvBnOptions {
  int64_t width = 1;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t groups = 1;
  double scale = 1;  ///< of the BN at first
};

/// A square convolution, padded by half the kernel, and BN.
std::string conv_bn(Builder& builder, const std::string& x, const ConvBnOptions& options);

/// The chance of each residual branch to be dropped: block l of L has l / L of the last one's (the
/// linear decay of Huang et al., ECCV 2016).
class DropPath {
 public:
  DropPath(double last, int64_t blocks) : last_(last), blocks_(blocks) {}

  /// The branch, dropped by the chance of the next block; as it is where that is 0.
  std::string apply(Builder& builder, const std::string& branch);

  /// Counts a block that has no residual to drop.
  void skip() { ++block_; }

 private:
  double last_;
  int64_t blocks_;
  int64_t block_ = 0;
};

}  // namespace coppice::graph
