#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/model_index.h"
#include "runtime/xnnpack/builder.h"

namespace coppice::runtime::xnnpack {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// What computes a node from activations, with all that is fused into it.
struct Stage {
  const graph::Node* output = nullptr;
  std::vector<std::string> inputs;
  /// Adds the steps. False, and nothing added, where XNNPACK takes no such parameters: the
  /// reference kernel runs the node then.
  std::function<bool(Builder&)> build;
};

/// Patterns that end at a node; nullopt when the node is not the end of one. The first that matches
/// is used.
std::optional<Stage> match_quantised(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_table(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_byte_sum(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_byte_mean(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_quantise_floats(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_product(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_deconvolution(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_arithmetic(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_unary(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_pool(ModelIndex& index, const graph::Node& last);
std::optional<Stage> match_move(ModelIndex& index, const graph::Node& last);

/// Whether a name is a float value that is computed in each run.
inline bool is_float_activation(const ModelIndex& index, const std::string& name) {
  const graph::Node* node = index.node(name);
  return node != nullptr && !index.is_constant(name) && node->dtype == graph::DType::F32;
}

}  // namespace coppice::runtime::xnnpack
