#pragma once

#include "graph/op.h"

namespace coppice::graph {

/// Whether the op makes every value of its output from the value at the same place of its only
/// input, by a function that its attributes alone give: without weights, the same in training and
/// in inference, f32 in and out. So not PRelu and BatchNorm (weights), Dropout (training), Cast and
/// QuantizeLinear (types).
bool is_unary_elementwise(Op op);

}  // namespace coppice::graph
