#pragma once

#include <string>

#include "core/rng.h"
#include "graph/graph.h"

namespace coppice::graph {

/// What a weight's variance is to be over 1 / fan-in, by the next activation after the node,
/// through BN, addition, pooling, dropout and changes of shape: 2 before a ReLU and its smooth or
/// clipped kin (He et al., ICCV 2015), 2 / (1 + slope^2) before a leaky one, 1 elsewhere (LeCun et
/// al., 1998).
double next_gain(const Graph& graph, const std::string& name);

/// Values that one output of a Conv or Gemm weight [out, …] sums.
double fan_in(const Tensor& weight);

/// REQUIRES: an f32 tensor that nobody shares.
void fill_normal(Tensor& tensor, double standard_deviation, core::Rng& rng);

/// Throws Error{InvalidArgument} naming the node.
void require_positive(const Node& node, std::string_view what, int64_t value);

}  // namespace coppice::graph
