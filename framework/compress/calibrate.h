#pragma once

#include <map>
#include <string>

#include "compress/qdq.h"
#include "compress/quantise.h"

namespace coppice::compress {

/// Ranges of the activations that own a scale, from running the float model over the samples: once
/// for their extremes and, unless the calibration is "min_max", once more for their histograms.
/// Throws Error{Numeric} naming the node for values that are not finite.
std::map<std::string, ActivationRange> calibrate(const graph::Model& model,
                                                 const QdqPlan& plan,
                                                 const graph::Tensor& samples,
                                                 const QuantiseOptions& options);

}  // namespace coppice::compress
