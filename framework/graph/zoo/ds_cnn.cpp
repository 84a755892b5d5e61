#include "core/error.h"
#include "graph/zoo/blocks.h"
#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

struct Shapes {
  int64_t width = 64;
  Shape stem_stride;
  int64_t first_stride = 1;  ///< of the first separable block
  int64_t blocks = 4;
};

/// The three networks of the paper's appendix.
Shapes shapes_of(Size size) {
  switch (size) {
    case Size::Small:
      return {64, {2, 2}, 1, 4};
    case Size::Medium:
      return {172, {2, 1}, 2, 4};
    case Size::Large:
      return {276, {2, 1}, 2, 5};
  }
  COPPICE_CHECK(false, "size outside its enum");
  return {};
}

std::string same_conv(Builder& builder, const std::string& x, int64_t width, ConvAttributes conv) {
  const Shape& in = builder.shape(x);
  conv.pads = same_pads({in[2], in[3]}, conv.kernel, conv.stride, conv.dilation);
  return builder.relu(builder.batch_norm(builder.conv(x, width, conv, false)));
}

}  // namespace

/// Of [1, 49, 10]: 49 frames of 10 MFCC features. The first convolution is 10 x 4.
Model build_ds_cnn(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_image(options, input);
  const Shapes shapes = shapes_of(options.size);
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std);
  x = same_conv(builder, x, shapes.width, {.kernel = {10, 4}, .stride = shapes.stem_stride});
  for (int64_t block = 0; block < shapes.blocks; ++block) {
    const int64_t stride = block == 0 ? shapes.first_stride : 1;
    const ConvAttributes depthwise{
        .kernel = {3, 3}, .stride = {stride, stride}, .groups = shapes.width};
    x = same_conv(builder, x, shapes.width, depthwise);
    x = same_conv(builder, x, shapes.width, {});
  }
  x = builder.flatten(builder.global_average_pool(x));
  return finish_network(builder, x, options, input);
}

}  // namespace coppice::graph
