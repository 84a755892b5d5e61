#pragma once

#include <map>
#include <string>

#include "compress/qdq.h"

namespace coppice::compress {

/// Every layer of the plan with a bias of its own: zeros where it had none, a copy where nodes
/// shared one.
graph::Model with_own_biases(graph::Model model, const QdqPlan& plan);

/// The float model with biases moved so that its quantised form has, per channel of each layer, the
/// float layer's mean output before the activation (Nagel et al., Data-Free Quantization Through
/// Weight Equalization and Bias Correction, ICCV 2019, section 4.2 with means taken from samples).
/// Layers go in graph order, each seeing the corrected ones before it. REQUIRES: own biases.
graph::Model correct_biases(graph::Model model,
                            const QdqPlan& plan,
                            const std::map<std::string, ActivationRange>& ranges,
                            const graph::Tensor& samples);

}  // namespace coppice::compress
