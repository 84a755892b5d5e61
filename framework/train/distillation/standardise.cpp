#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "train/distillation/logit_terms.h"

namespace coppice::train {

at::Tensor standardised(const at::Tensor& logits) {
  const at::Tensor centred = logits - logits.mean(1, /*keepdim=*/true);
  const at::Tensor variance = centred.square().mean(1, /*keepdim=*/true);
  return centred * (variance + 1e-7).rsqrt();
}

}  // namespace coppice::train
