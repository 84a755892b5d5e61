#pragma once

#include <ATen/core/ATen_fwd.h>

#include "recipe/recipe.h"

namespace coppice::train {

/// Mean cross entropy of `logits` [n, classes] against `labels` [n] (i64), `smoothing` of each
/// target spread evenly over all classes (Szegedy et al., CVPR 2016).
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing);

/// T^2 KL(softmax(teacher / T) || softmax(student / T)), mean over samples (Hinton et al., 2015).
/// The factor keeps the gradient's scale independent of T. No gradient reaches `teacher_logits`.
at::Tensor soft_target_loss(const at::Tensor& student_logits,
                            const at::Tensor& teacher_logits,
                            double temperature);

/// (1 - alpha) cross entropy + alpha soft-target loss.
at::Tensor distillation_loss(const at::Tensor& student_logits,
                             const at::Tensor& teacher_logits,
                             const at::Tensor& labels,
                             double smoothing,
                             const recipe::DistilOptions& options);

}  // namespace coppice::train
