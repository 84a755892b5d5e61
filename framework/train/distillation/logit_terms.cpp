#include "train/distillation/logit_terms.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/log_softmax.h>

namespace coppice::train {

const core::Registry<LogitMethod>& logit_methods() {
  static const core::Registry<LogitMethod> registry = [] {
    core::Registry<LogitMethod> r("distillation method");
    r.add("soft", {soft_targets}, "softened probabilities (Hinton et al., 2015)");
    r.add("dkd",
          {decoupled, /*reads_labels=*/true},
          "true class and others apart (Zhao et al., CVPR 2022)");
    return r;
  }();
  return registry;
}

at::Tensor log_probabilities(const at::Tensor& logits, const recipe::DistilOptions& options) {
  const at::Tensor scaled = options.standardise ? standardised(logits) : logits;
  return at::log_softmax(scaled / options.temperature, 1);
}

}  // namespace coppice::train
