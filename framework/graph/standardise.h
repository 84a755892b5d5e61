#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace coppice::graph {

/// Mean and standard deviation of raw values: one each, or one for each of the channels (of images
/// and windows) or features.
struct Standardisation {
  std::vector<double> mean;
  std::vector<double> std;

  /// Throws Error{InvalidArgument} for another number of values, a mean that is not finite, or a
  /// standard deviation that is not positive.
  void check(int64_t channels) const;
};

/// Puts (x - mean) / std in front of a model that was made for standardised input, as graph nodes
/// behind its only Input, which takes values of `raw` from then on: a device feeds what the sensor
/// gives. Fit the values on the training data alone. The zoo's networks have these nodes already
/// (ModelInput). Throws Error{InvalidArgument} for a model with several inputs, and as `check`
/// does.
Model standardise_input(Model model, const Standardisation& values, DType raw = DType::F32);

/// One value, or one per channel in a shape that broadcasts over [batch, channels, …] of this rank.
Tensor channel_values(const std::vector<double>& values, size_t rank);

}  // namespace coppice::graph
