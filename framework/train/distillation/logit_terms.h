#pragma once

#include <ATen/core/ATen_fwd.h>

#include "core/registry.h"
#include "recipe/distil.h"

namespace coppice::train {

/// A distance between what student and teacher say of the classes: scalar, mean over samples.
/// `student`, `teacher`: logarithms of probabilities at the temperature [n, classes]; `labels` [n]
/// (i64). x T^2, so that the gradient's scale does not depend on the temperature.
using LogitTerm = at::Tensor (*)(const at::Tensor& student,
                                 const at::Tensor& teacher,
                                 const at::Tensor& labels,
                                 const recipe::DistilOptions& options);

struct LogitMethod {
  LogitTerm loss = nullptr;
  bool reads_labels = false;
};

/// soft: Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015:
/// T^2 KL(teacher || student).
at::Tensor soft_targets(const at::Tensor& student,
                        const at::Tensor& teacher,
                        const at::Tensor& labels,
                        const recipe::DistilOptions& options);

/// dkd: Zhao et al., "Decoupled knowledge distillation", CVPR 2022: the divergence of the true
/// class against all others x dkd_alpha, and that among the others x dkd_beta, which soft targets
/// would weigh by how unsure the teacher is.
at::Tensor decoupled(const at::Tensor& student,
                     const at::Tensor& teacher,
                     const at::Tensor& labels,
                     const recipe::DistilOptions& options);

/// By options.method, but for "none".
const core::Registry<LogitMethod>& logit_methods();

/// Each sample's logits with mean 0 and deviation 1 over the classes (Sun et al., "Logit
/// standardization in knowledge distillation", CVPR 2024). 1e-7 is added to the variance, so that
/// logits which are all the same stay finite.
at::Tensor standardised(const at::Tensor& logits);

/// What terms take: log softmax of logits / T, standardised first where the options say so.
at::Tensor log_probabilities(const at::Tensor& logits, const recipe::DistilOptions& options);

}  // namespace coppice::train
