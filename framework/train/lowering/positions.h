#pragma once

#include <cstdint>
#include <vector>

#include "graph/op.h"

namespace coppice::train {

/// Where along an input's dimension of `size` the values of positions [-before, size + behind) of a
/// padded one come from. REQUIRES: the mode mirrors or repeats values.
std::vector<int64_t> padded_positions(graph::PadMode mode,
                                      int64_t size,
                                      int64_t before,
                                      int64_t behind);

/// Where the values of a dimension resized to the nearest value come from: i * in / out.
std::vector<int64_t> nearest_positions(int64_t in, int64_t out);

/// Whether ATen's nearest resizing, whose positions are products in float, gives these: by a factor
/// of 41 for one it does not.
bool aten_resizes_exactly(int64_t in, int64_t out);

}  // namespace coppice::train
