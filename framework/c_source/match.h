#pragma once

#include <limits>
#include <optional>
#include <string>

#include "graph/graph.h"
#include "runtime/model_index.h"

namespace coppice::c_source {

/// Conv | Gemm → [Add(residual)] → [Relu | Clip] in float.
struct FloatLayer {
  const graph::Node* layer = nullptr;
  std::string residual;  ///< an activation of the output's shape, or empty
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// The layer that ends at `last`, or nullopt. What it absorbs has no other reader, and is no layer
/// over 8-bit values, which has its own arithmetic.
std::optional<FloatLayer> match_float_layer(runtime::ModelIndex& index, const graph::Node& last);

}  // namespace coppice::c_source
