#pragma once

#include <vector>

namespace coppice::train {

struct Parameter;

/// Shrinks weights that `decays()` by `share` (learning rate x decay), before the optimiser's step:
/// decoupled weight decay for any optimiser (Loshchilov and Hutter, ICLR 2019).
void decay_weights(const std::vector<Parameter>& parameters, double share);

}  // namespace coppice::train
