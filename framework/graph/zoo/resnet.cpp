#include "graph/zoo/blocks.h"
#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

struct Stages {
  std::vector<int64_t> widths;
  int64_t depth = 1;
};

/// Two 3x3 convolutions and a shortcut, projected by a 1x1 convolution where stride or width
/// change.
std::string basic_block(Builder& builder,
                        const std::string& x,
                        int64_t width,
                        int64_t stride,
                        DropPath& drop_path,
                        bool zero_init) {
  std::string y = builder.relu(conv_bn(builder, x, {.width = width, .stride = stride}));
  y = conv_bn(builder, y, {.width = width, .scale = zero_init ? 0.0 : 1.0});
  y = drop_path.apply(builder, y);
  const bool project = stride != 1 || builder.shape(x).at(1) != width;
  const std::string shortcut =
      project ? conv_bn(builder, x, {.width = width, .kernel = 1, .stride = stride}) : x;
  return builder.relu(builder.add(y, shortcut));
}

Model finish_stages(Builder& builder,
                    std::string x,
                    const Stages& stages,
                    const ModelOptions& options,
                    const ModelInput& input) {
  DropPath drop_path(options.drop_path, std::ssize(stages.widths) * stages.depth);
  for (size_t stage = 0; stage < stages.widths.size(); ++stage) {
    for (int64_t block = 0; block < stages.depth; ++block) {
      const int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      x = basic_block(builder, x, stages.widths[stage], stride, drop_path, options.zero_init);
    }
  }
  x = builder.flatten(builder.global_average_pool(x));
  return finish_network(builder, x, options, input);
}

}  // namespace

/// The CIFAR networks of He et al. (CVPR 2016), section 4.2: three stages of `depth` blocks make 6
/// depth + 2 layers.
Model build_resnet(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_image(options, input);
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std);
  x = builder.relu(conv_bn(builder, x, {.width = options.widths.front()}));
  return finish_stages(builder, x, {options.widths, options.depth}, options, input);
}

/// The ImageNet network of the same paper, table 1. The small stem is one 3x3 convolution.
Model build_resnet18(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_image(options, input);
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std);
  Stages stages{{64, 128, 256, 512}, 2};
  for (int64_t& width : stages.widths) {
    width = scaled_width(static_cast<double>(width), options.width_multiplier);
  }
  if (options.stem == Stem::Imagenet) {
    x = builder.relu(
        conv_bn(builder, x, {.width = stages.widths.front(), .kernel = 7, .stride = 2}));
    x = builder.max_pool(x, {.kernel = {3, 3}, .stride = {2, 2}, .pads = {1, 1, 1, 1}});
  } else {
    x = builder.relu(conv_bn(builder, x, {.width = stages.widths.front()}));
  }
  return finish_stages(builder, x, stages, options, input);
}

}  // namespace coppice::graph
