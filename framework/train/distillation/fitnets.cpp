#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "train/distillation/hint_terms.h"

namespace coppice::train {

at::Tensor fitnets(const at::Tensor& student,
                   const at::Tensor& teacher,
                   const recipe::HintOptions& /*options*/) {
  return (student - teacher).square().mean();
}

}  // namespace coppice::train
