#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::compress {

/// A float weight that a layer multiplies with: of Conv, ConvTranspose, Gemm, MatMul, Lstm, Gru.
struct LayerWeight {
  std::string node;  ///< the first that uses it
  std::string weight;
  bool spatial = false;  ///< of a convolution
};

/// In graph order, each weight once. `what` begins messages. Throws Error{InvalidArgument} for a
/// quantised model, whose integers nothing here can rewrite, and where there is none.
std::vector<LayerWeight> layer_weights(const graph::Model& model, std::string_view what);

/// Throws Error{Numeric} for a layer whose weights are not finite; `what` begins the message.
void check_finite(const graph::Model& model, const LayerWeight& layer, std::string_view what);

/// For every layer the number of the last pattern that its node fits, or -1. Throws
/// Error{InvalidArgument} naming a pattern that fits no layer.
std::vector<int> match_layers(const std::vector<LayerWeight>& layers,
                              const std::vector<std::string>& patterns,
                              std::string_view what);

}  // namespace coppice::compress
