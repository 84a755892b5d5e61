#include "runtime/zoo_cases.h"

#include <ostream>

#include "runtime/models.h"

namespace coppice::runtime::testing {

using graph::DType;

namespace {

std::vector<graph::LayerOptions> layer_list() {
  std::vector<graph::LayerOptions> layers;
  for (const char* type : {"conv", "bn", "relu", "flatten"}) {
    layers.emplace_back().type = type;
  }
  return layers;
}

}  // namespace

graph::Model ZooCase::network() const {
  graph::ModelInput input = image_input(sample[0], 1, dtype);
  input.sample_shape = sample;
  return random_network(options, input, 3);
}

graph::Tensor ZooCase::samples(int64_t count, uint64_t seed) const {
  graph::Shape shape = sample;
  shape.insert(shape.begin(), count);
  return dtype == DType::U8 ? random_integers(DType::U8, shape, seed)
                            : random_floats(shape, seed, 0, 255);
}

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest finds it by this name
void PrintTo(const ZooCase& one, std::ostream* out) {
  *out << one.name;
}

std::vector<ZooCase> zoo_cases() {
  return {
      {"mlp", {.name = "mlp", .widths = {20, 12}, .dropout = 0.2}, {30}, DType::F32},
      {"mlp_of_images", {.name = "mlp", .widths = {20, 12}}, {1, 9, 9}},
      {"lenet_300_100", {.name = "lenet_300_100"}, {1, 6, 6}},
      {"lenet5", {.name = "lenet5"}, {1, 28, 28}},
      {"cnn", {.name = "cnn", .widths = {4, 6, 5}}, {3, 17, 17}},
      {"resnet",
       {.name = "resnet", .widths = {4, 6, 8}, .depth = 3, .drop_path = 0.2},
       {3, 16, 16}},
      {"resnet18", {.name = "resnet18", .width_multiplier = 0.125}, {3, 16, 16}},
      {"resnet18_imagenet",
       {.name = "resnet18", .stem = graph::Stem::Imagenet, .width_multiplier = 0.125},
       {3, 64, 64}},
      {"mobilenet_v2", {.name = "mobilenet_v2", .width_multiplier = 0.25}, {3, 32, 32}},
      {"ds_cnn", {.name = "ds_cnn"}, {1, 25, 10}},
      {"cnn1d", {.name = "cnn1d", .widths = {5, 7}}, {3, 40}, DType::F32},
      {"tcn", {.name = "tcn", .widths = {6, 6, 4}, .dropout = 0.1}, {3, 32}, DType::F32},
      {"autoencoder", {.name = "autoencoder", .widths = {16, 5}}, {1, 7, 7}},
      {"conv_autoencoder", {.name = "conv_autoencoder", .widths = {4, 6}}, {1, 12, 12}},
      {"layers", {.name = "layers", .layers = layer_list()}, {1, 8, 8}},
  };
}

}  // namespace coppice::runtime::testing
