#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

std::string conv_bn(
    Builder& builder, const std::string& x, int64_t width, int64_t kernel, int64_t stride) {
  const int64_t pad = kernel / 2;
  const ConvAttributes conv{
      .kernel = {kernel, kernel}, .stride = {stride, stride}, .pads = {pad, pad, pad, pad}};
  return builder.batch_norm(builder.conv(x, width, conv, false));
}

/// Two 3x3 convolutions and a shortcut, projected by a 1x1 convolution where stride or width
/// change.
std::string basic_block(Builder& builder, const std::string& x, int64_t width, int64_t stride) {
  std::string y = builder.relu(conv_bn(builder, x, width, 3, stride));
  y = conv_bn(builder, y, width, 3, 1);
  const bool project = stride != 1 || builder.shape(x).at(1) != width;
  const std::string shortcut = project ? conv_bn(builder, x, width, 1, stride) : x;
  return builder.relu(builder.add(y, shortcut));
}

}  // namespace

/// The CIFAR networks of He et al. (CVPR 2016), section 4.2: three stages of `depth` blocks make 6
/// depth + 2 layers.
Model build_resnet(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_image(options, input);
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std);
  x = builder.relu(conv_bn(builder, x, options.widths.front(), 3, 1));
  for (size_t stage = 0; stage < options.widths.size(); ++stage) {
    for (int64_t block = 0; block < options.depth; ++block) {
      const int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      x = basic_block(builder, x, options.widths[stage], stride);
    }
  }
  x = builder.flatten(builder.global_average_pool(x));
  return finish_network(builder, x, options, input);
}

}  // namespace coppice::graph
