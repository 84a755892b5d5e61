#include "graph/zoo.h"

#include <algorithm>

#include <fmt/format.h>

#include "graph/zoo/networks.h"

namespace coppice::graph {

void ModelOptions::visit(core::Fields& f) {
  f.field("name", name, {.help = "network of the zoo", .choices = zoo().names()});
  f.field("widths",
          widths,
          {.help = "channels of each stage (cnn, resnet) or units of each hidden layer (mlp)",
           .min = 1,
           .max = 65536});
  f.field(
      "depth",
      depth,
      {.help = "convolutions per stage (cnn) or blocks per stage (resnet)", .min = 1, .max = 1024});
  f.field("dropout",
          dropout,
          {.help = "share of features zeroed before the classifier in training",
           .min = 0,
           .max = 0.95});
}

const core::Registry<ModelBuilder>& zoo() {
  static const auto kZoo = [] {
    core::Registry<ModelBuilder> registry("model");
    registry.add("mlp", build_mlp, "fully connected layers with ReLU");
    registry.add("cnn", build_cnn, "stages of 3x3 convolution, BN, ReLU and pooling");
    registry.add(
        "resnet", build_resnet, "residual network for small images (He et al., CVPR 2016)");
    return registry;
  }();
  return kZoo;
}

Model build_model(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  const auto refuse = [&](std::string_view why) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("model '{}': {}", options.name, why));
  };
  const ModelBuilder builder = zoo().get(options.name);
  if (options.depth < 1) {
    refuse("depth must be at least 1");
  }
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    refuse("dropout must lie in [0, 1)");
  }
  if (options.name != "mlp" && options.widths.empty()) {
    refuse("widths must name at least one stage");
  }
  if (std::any_of(options.widths.begin(), options.widths.end(), [](int64_t w) { return w < 1; })) {
    refuse("every width must be at least 1");
  }
  if (input.class_names.empty()) {
    refuse("the data names no classes");
  }
  return builder(options, input, seed);
}

}  // namespace coppice::graph
