#pragma once

#include "train/training_state.h"

namespace coppice::train {

class Network;

/// Sharpness-aware minimisation (Foret et al., ICLR 2021): while this lives, the parameters stand
/// rho up their gradient, eps = rho g / |g|_2 over all of them together; the gradient that a second
/// pass finds there is the one to step with.
///
/// Afterwards parameters and BN's running statistics are exactly what they were, so that only the
/// first pass counts for the statistics.
class SharpnessAscent {
 public:
  SharpnessAscent(Network& network, double rho);
  ~SharpnessAscent();
  SharpnessAscent(const SharpnessAscent&) = delete;
  SharpnessAscent& operator=(const SharpnessAscent&) = delete;

 private:
  Network& network_;
  NamedTensors before_;
};

}  // namespace coppice::train
