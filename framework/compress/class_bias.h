#pragma once

#include <cstdint>
#include <span>

#include "graph/graph.h"

namespace coppice::compress {

/// What to add to the logit of class `c` so that the fewest samples are misclassified; the least
/// change among equals, 0 where no change helps. `logits` is [n, classes], row-major, and `labels`
/// has n entries.
///
/// For a class that training has not seen, whose logit is too small throughout (Hinton et al.,
/// Distilling the Knowledge in a Neural Network, 2015, section 3).
/// Throws Error{InvalidArgument} for a class out of range or sizes that do not fit, Error{Numeric}
/// for logits that are not finite.
double best_logit_shift(std::span<const float> logits,
                        std::span<const int64_t> labels,
                        int64_t classes,
                        int64_t c);

/// Adds to the bias of one class. Throws Error{Unsupported} unless the model's first output is a
/// Gemm with a float bias, Error{InvalidArgument} for a class out of range.
graph::Model shift_class_bias(graph::Model model, int64_t c, double shift);

}  // namespace coppice::compress
