#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::tools {

/// Raw samples for a model's input.
struct ModelSamples {
  graph::Tensor values;              ///< [n, …], the dtype and shape of the input
  std::vector<std::string> names;    ///< of each: an image's file, or its position
  std::vector<int64_t> labels = {};  ///< of each where the data knows them, -1 where not; or empty
};

/// `path`: an NPY array of samples (or of one), a data-set version (.h5), an image, or a folder of
/// images, with its folders. At most `limit` samples from the front; 0: all. Throws
/// Error{NotFound, Corrupt, InvalidArgument} for what does not fit `input`.
ModelSamples read_samples(const std::string& path, const graph::Node& input, int64_t limit = 0);

/// Uniform over all bytes, or standard normal: what a standardised input looks like.
graph::Tensor random_samples(const graph::Node& input, int64_t count, uint64_t seed);

/// Throws Error{Unsupported} for a model with several inputs.
const graph::Node& only_input(const graph::Model& model);

}  // namespace coppice::tools
