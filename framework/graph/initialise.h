#pragma once

#include <string>

#include "core/rng.h"
#include "graph/graph.h"

namespace coppice::graph {

/// Whether a ReLU is the next activation after the node, through BN, addition, pooling and dropout.
bool followed_by_relu(const Graph& graph, const std::string& name);

/// Values that one output of a Conv or Gemm weight [out, …] sums.
double fan_in(const Tensor& weight);

/// REQUIRES: an f32 tensor that nobody shares.
void fill_normal(Tensor& tensor, double standard_deviation, core::Rng& rng);

/// Throws Error{InvalidArgument} naming the node.
void require_positive(const Node& node, std::string_view what, int64_t value);

}  // namespace coppice::graph
