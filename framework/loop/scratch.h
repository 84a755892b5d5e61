#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace coppice::loop {

/// The same shape with weights drawn anew, as the builder draws them: nothing is left of what the
/// network had learned. Weights that BatchNorm, Conv and Gemm do not train stay, such as the
/// preprocessing's. Throws Error{Unsupported} for a quantised model or one with layers whose
/// weights it would leave as they are.
graph::Model redraw_weights(graph::Model model, uint64_t seed);

}  // namespace coppice::loop
