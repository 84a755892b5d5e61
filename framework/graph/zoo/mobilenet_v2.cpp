#include <algorithm>
#include <array>

#include "graph/zoo/blocks.h"
#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

/// A row of table 2 of the paper.
struct Bottlenecks {
  int64_t expansion;
  int64_t width;
  int64_t repeats;
  int64_t stride;
};

constexpr std::array<Bottlenecks, 7> kRows{{{1, 16, 1, 1},
                                            {6, 24, 2, 2},
                                            {6, 32, 3, 2},
                                            {6, 64, 4, 2},
                                            {6, 96, 3, 1},
                                            {6, 160, 3, 2},
                                            {6, 320, 1, 1}}};
constexpr int64_t kBlocks = 17;

std::string relu6(Builder& builder, const std::string& x) {
  return builder.clip(x, 0, 6);
}

struct BlockShape {
  int64_t expansion = 1;
  int64_t width = 1;
  int64_t stride = 1;
};

/// 1x1 up, 3x3 depthwise, 1x1 down without an activation; added to the input where nothing changes.
std::string inverted_residual(Builder& builder,
                              const std::string& x,
                              const BlockShape& block,
                              DropPath& drop_path,
                              bool zero_init) {
  const int64_t in = builder.shape(x).at(1);
  const int64_t wide = in * block.expansion;
  const bool residual = block.stride == 1 && in == block.width;
  std::string y = x;
  if (block.expansion != 1) {
    y = relu6(builder, conv_bn(builder, y, {.width = wide, .kernel = 1}));
  }
  y = relu6(builder, conv_bn(builder, y, {.width = wide, .stride = block.stride, .groups = wide}));
  const double scale = residual && zero_init ? 0 : 1;
  y = conv_bn(builder, y, {.width = block.width, .kernel = 1, .scale = scale});
  if (!residual) {
    drop_path.skip();
    return y;
  }
  return builder.add(drop_path.apply(builder, y), x);
}

}  // namespace

/// The small stem leaves out the strides of the first convolution and of the second row.
Model build_mobilenet_v2(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_image(options, input);
  const bool small = options.stem == Stem::Small;
  const auto width = [&](int64_t channels) {
    return scaled_width(static_cast<double>(channels), options.width_multiplier);
  };
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std);
  x = relu6(builder, conv_bn(builder, x, {.width = width(32), .stride = small ? 1 : 2}));
  DropPath drop_path(options.drop_path, kBlocks);
  for (size_t row = 0; row < kRows.size(); ++row) {
    const Bottlenecks& r = kRows[row];
    const int64_t first = small && row == 1 ? 1 : r.stride;
    for (int64_t block = 0; block < r.repeats; ++block) {
      const BlockShape shape{r.expansion, width(r.width), block == 0 ? first : 1};
      x = inverted_residual(builder, x, shape, drop_path, options.zero_init);
    }
  }
  const int64_t last = scaled_width(1280, std::max(1.0, options.width_multiplier));
  x = relu6(builder, conv_bn(builder, x, {.width = last, .kernel = 1}));
  x = builder.flatten(builder.global_average_pool(x));
  return finish_network(builder, x, options, input);
}

}  // namespace coppice::graph
