#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::train {

/// Where an argument of a node comes from: an earlier node, or a weight when that has a name.
struct Source {
  size_t node = 0;
  std::string weight = {};
};

/// What the walk through a graph must know of one of its nodes.
struct Step {
  std::vector<Source> sources;
  std::vector<size_t> last_reader_of;  ///< nodes whose values nobody needs after this one
  size_t readers = 0;
  bool is_output = false;
  /// The addition, ReLU and 2 x 2 pooling that can be computed with this BatchNorm, or pooling with
  /// this ReLU, or the DequantizeLinear that takes back this QuantizeLinear: each is the only
  /// reader of the one before it.
  std::vector<size_t> chain;
  /// The BatchNorm that can be computed with this Conv: its only reader.
  std::optional<size_t> norm;
  bool first_of_scale = false;     ///< the first QuantizeLinear with this scale
  std::optional<size_t> residual;  ///< the node before this one that the chain's addition adds
};

/// One step per node. REQUIRES: the model verifies.
std::vector<Step> plan_steps(const graph::Model& model);

}  // namespace coppice::train
