#pragma once

#include <string>
#include <vector>

#include "core/rng.h"
#include "data/dataset.h"
#include "graph/zoo.h"

namespace coppice::train::testing {

/// 1 x 8 x 8 images of four classes that anyone can tell apart: which quarter is bright, under
/// noise.
inline data::DatasetPtr quarters(int64_t samples, uint64_t seed) {
  core::Rng rng(seed);
  data::Schema schema;
  schema.sample_shape = {1, 8, 8};
  schema.class_names = {"top left", "top right", "bottom left", "bottom right"};
  std::vector<std::byte> pixels;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < samples; ++i) {
    const int64_t label = i % 4;
    labels.push_back(label);
    for (int64_t y = 0; y < 8; ++y) {
      for (int64_t x = 0; x < 8; ++x) {
        const bool bright = (y / 4) * 2 + x / 4 == label;
        pixels.push_back(static_cast<std::byte>(rng.below(100) + (bright ? 100 : 0)));
      }
    }
  }
  return data::make_memory_dataset(schema, pixels, labels);
}

/// What a network for them reads.
inline graph::ModelInput quarter_input() {
  graph::ModelInput input;
  input.sample_shape = {1, 8, 8};
  input.mean = {75};
  input.std = {50};
  input.class_names = {"top left", "top right", "bottom left", "bottom right"};
  return input;
}

/// A small network for them.
inline graph::Model quarter_network(uint64_t seed, double dropout = 0) {
  return graph::build_model(
      {.name = "mlp", .widths = {16}, .dropout = dropout}, quarter_input(), seed);
}

}  // namespace coppice::train::testing
