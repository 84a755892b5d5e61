#include "train/decoupled_decay.h"

#include <ATen/core/grad_mode.h>

#include "train/parameter.h"

namespace coppice::train {

void decay_weights(const std::vector<Parameter>& parameters, double share) {
  const at::NoGradGuard no_grad;
  for (const Parameter& p : parameters) {
    if (p.decays()) {
      p.value.detach().mul_(1 - share);
    }
  }
}

}  // namespace coppice::train
