#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/zeros_like.h>

#include "train/distillation/logit_terms.h"

namespace coppice::train {

namespace {

/// Logarithms of what one side says: of the true class, of all others together [n, 1], and of each
/// other among the others [n, classes] (0 at the true class).
struct DecoupledLogits {
  at::Tensor target;
  at::Tensor rest;
  at::Tensor others;
};

DecoupledLogits decouple(const at::Tensor& log_p, const at::Tensor& is_target) {
  const at::Tensor without = log_p.masked_fill(is_target, -std::numeric_limits<double>::infinity());
  DecoupledLogits result;
  result.target = log_p.masked_fill(is_target.logical_not(), 0).sum(1, /*keepdim=*/true);
  result.rest = at::logsumexp(without, 1, /*keepdim=*/true);
  result.others = (log_p - result.rest).masked_fill(is_target, 0);
  return result;
}

}  // namespace

at::Tensor decoupled(const at::Tensor& student,
                     const at::Tensor& teacher,
                     const at::Tensor& labels,
                     const recipe::DistilOptions& options) {
  const at::Tensor is_target = at::zeros_like(student.detach(), at::TensorOptions(at::kBool))
                                   .scatter(1, labels.unsqueeze(1), 1);
  const DecoupledLogits s = decouple(student, is_target);
  const DecoupledLogits t = decouple(teacher, is_target);
  const at::Tensor of_target =
      t.target.exp() * (t.target - s.target) + t.rest.exp() * (t.rest - s.rest);
  const at::Tensor of_others = t.others.exp().masked_fill(is_target, 0) * (t.others - s.others);
  const auto samples = static_cast<double>(student.size(0));
  const double scale = options.temperature * options.temperature / samples;
  return (options.dkd_alpha * of_target.sum() + options.dkd_beta * of_others.sum()) * scale;
}

}  // namespace coppice::train
