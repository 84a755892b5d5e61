#pragma once

#include "graph/graph.h"

namespace coppice::tools {

/// Takes out the nodes in front of a network that would standardise by mean 0 and deviation 1, and
/// casts of f32 to f32: what is left computes the same.
graph::Model without_idle_preprocessing(graph::Model model);

}  // namespace coppice::tools
