#include "train/sharpness.h"

#include <ATen/core/grad_mode.h>

#include "train/gradients.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/weight_average.h"

namespace coppice::train {

SharpnessAscent::SharpnessAscent(Network& network, double rho)
    : network_(network), before_(copy_weights(network)) {
  const at::NoGradGuard no_grad;
  const double norm = norm_of(gradients_of(network.parameters()));
  const double scale = rho / (norm + 1e-12);
  for (const Parameter& p : network.parameters()) {
    if (p.value.grad().defined()) {
      p.value.detach().add_(p.value.grad(), scale);
    }
  }
}

SharpnessAscent::~SharpnessAscent() {
  set_weights(network_, before_);
}

}  // namespace coppice::train
