#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

/// Height and width to at most those of a shape, from the front.
std::string crop(Builder& builder, std::string x, const Shape& size) {
  for (const int64_t axis : {2, 3}) {
    const auto at = static_cast<size_t>(axis);
    if (builder.shape(x).at(at) > size.at(at)) {
      x = builder.slice(x, {.axis = axis, .start = 0, .end = size.at(at)});
    }
  }
  return x;
}

}  // namespace

/// ReLU units down to the last width and up again in mirror order; the output is linear.
Model build_autoencoder(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std, "target");
  const bool flat = input.sample_shape.size() == 1;
  if (!flat) {
    x = builder.flatten(x);
  }
  const int64_t features = builder.shape(x).at(1);
  std::vector<int64_t> widths = options.widths;
  widths.insert(widths.end(), options.widths.rbegin() + 1, options.widths.rend());
  for (const int64_t width : widths) {
    x = builder.relu(builder.gemm(x, width));
  }
  x = builder.gemm(x, features, true, flat ? "reconstruction" : "");
  if (!flat) {
    builder.reshape(x, input.sample_shape, "reconstruction");
  }
  return finish_autoencoder(builder, options);
}

/// Stages of convolution with stride 2, BN and ReLU; on the way up nearest-neighbour resizing
/// before each convolution, which has no checkerboard patterns (Odena et al., 2016). Windows
/// [channels, time] are halved along time.
Model build_conv_autoencoder(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  const bool series = input.sample_shape.size() == 2;
  if (!series) {
    require_image(options, input);
  }
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std, "target");
  if (series) {
    x = builder.reshape(x, {input.sample_shape[0], 1, input.sample_shape[1]});
  }
  const int64_t tall = series ? 1 : 3;
  const int64_t halve = series ? 1 : 2;
  ConvAttributes conv{.kernel = {tall, 3}, .pads = {tall / 2, 1, tall / 2, 1}};
  std::vector<Shape> shapes;
  for (const int64_t width : options.widths) {
    shapes.push_back(builder.shape(x));
    conv.stride = {halve, 2};
    x = builder.relu(builder.batch_norm(builder.conv(x, width, conv, false)));
  }
  conv.stride = {1, 1};
  for (size_t stage = shapes.size(); stage-- > 0;) {
    x = crop(builder, builder.resize(x, {halve, 2}), shapes[stage]);
    if (stage > 0) {
      x = builder.relu(builder.batch_norm(builder.conv(x, shapes[stage][1], conv, false)));
    }
  }
  x = builder.conv(x, input.sample_shape[0], conv, true);
  if (series) {
    builder.reshape(x, input.sample_shape, "reconstruction");
  } else {
    builder.rename_last("reconstruction");
  }
  return finish_autoencoder(builder, options);
}

}  // namespace coppice::graph
