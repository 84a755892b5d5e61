#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/kl_div.h>

#include "train/distillation/logit_terms.h"

namespace coppice::train {

at::Tensor soft_targets(const at::Tensor& student,
                        const at::Tensor& teacher,
                        const at::Tensor& /*labels*/,
                        const recipe::DistilOptions& options) {
  const auto samples = static_cast<double>(student.size(0));
  return at::kl_div(student, teacher, at::Reduction::Sum, /*log_target=*/true) *
         (options.temperature * options.temperature / samples);
}

}  // namespace coppice::train
