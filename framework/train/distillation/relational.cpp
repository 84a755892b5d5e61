#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/smooth_l1_loss.h>

#include "train/distillation/hint_terms.h"
#include "train/distillation/unit_rows.h"

namespace coppice::train {

namespace {

constexpr double kHuberDelta = 1;

/// [n, n, d]: at i, j sample j - sample i.
at::Tensor differences(const at::Tensor& node) {
  const at::Tensor rows = node.flatten(1);
  return rows.unsqueeze(0) - rows.unsqueeze(1);
}

/// [n, n]: distances over their mean between different samples.
at::Tensor scaled_distances(const at::Tensor& between) {
  const at::Tensor distances = row_norms(between);
  const auto n = static_cast<double>(distances.size(0));
  return distances / (distances.sum() / (n * (n - 1))).clamp_min(1e-12);
}

/// [n, n, n]: at j, i, k the cosine of the angle at j between i and k.
at::Tensor cosines(const at::Tensor& between) {
  const at::Tensor unit = unit_rows(between);
  return at::bmm(unit, unit.transpose(1, 2));
}

at::Tensor huber_mean(const at::Tensor& student, const at::Tensor& teacher) {
  return at::smooth_l1_loss(student, teacher, at::Reduction::Mean, kHuberDelta);
}

}  // namespace

at::Tensor relational(const at::Tensor& student,
                      const at::Tensor& teacher,
                      const recipe::HintOptions& options) {
  at::Tensor loss = student.sum() * 0;
  if (student.size(0) < 2) {
    return loss;  // one sample has no relations
  }
  const at::Tensor s = differences(student);
  const at::Tensor t = differences(teacher);
  if (options.distance > 0) {
    loss = loss + options.distance * huber_mean(scaled_distances(s), scaled_distances(t));
  }
  if (options.angle > 0) {
    loss = loss + options.angle * huber_mean(cosines(s), cosines(t));
  }
  return loss;
}

}  // namespace coppice::train
