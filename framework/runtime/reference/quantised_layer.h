#pragma once

#include "runtime/quantised.h"
#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

/// Runs a fused 8-bit layer in integers. `residual` is nullptr when the layer adds none.
void run_quantised_layer(const QuantisedLayer& layer,
                         const View& input,
                         const View* residual,
                         const View& output);

}  // namespace coppice::runtime::reference
