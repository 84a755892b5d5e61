#include "train/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>

namespace coppice::train {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing) {
  return at::cross_entropy_loss(
      logits, labels, {}, at::Reduction::Mean, /*ignore_index=*/-100, smoothing);
}

at::Tensor soft_target_loss(const at::Tensor& student_logits,
                            const at::Tensor& teacher_logits,
                            double temperature) {
  const at::Tensor student = at::log_softmax(student_logits / temperature, 1);
  const at::Tensor teacher = at::log_softmax(teacher_logits.detach() / temperature, 1);
  const auto samples = static_cast<double>(student_logits.size(0));
  return at::kl_div(student, teacher, at::Reduction::Sum, /*log_target=*/true) *
         (temperature * temperature / samples);
}

at::Tensor distillation_loss(const at::Tensor& student_logits,
                             const at::Tensor& teacher_logits,
                             const at::Tensor& labels,
                             double smoothing,
                             const recipe::DistilOptions& options) {
  return (1 - options.alpha) * cross_entropy(student_logits, labels, smoothing) +
         options.alpha * soft_target_loss(student_logits, teacher_logits, options.temperature);
}

}  // namespace coppice::train
