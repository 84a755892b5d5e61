#pragma once

#include <memory>

#include "train/strategy.h"

namespace coppice::train {

/// Adds strength / 2 x the squared distance of weights and biases from where the experience began
/// (Li, Grandvalet and Davoine, ICML 2018: L2-SP). BN's scale and shift are free.
std::unique_ptr<Strategy> make_l2_sp();
std::unique_ptr<Strategy> make_l2_sp_of(double strength);

}  // namespace coppice::train
