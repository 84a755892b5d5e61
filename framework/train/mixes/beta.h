#pragma once

#include "core/rng.h"

namespace coppice::train {

/// A draw from Beta(alpha, alpha), by two Gamma draws (Marsaglia and Tsang, 2000). REQUIRES: alpha
/// > 0.
double draw_beta(double alpha, core::Rng& rng);

}  // namespace coppice::train
