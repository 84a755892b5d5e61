#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/mm.h>

#include "train/distillation/hint_terms.h"
#include "train/distillation/unit_rows.h"

namespace coppice::train {

namespace {

constexpr double kLeast = 1e-7;  ///< of a chance: opposite samples have none

/// [n, n]: at i, j the chance that sample i picks j as its neighbour, 0 on the diagonal.
at::Tensor neighbour_chances(const at::Tensor& node) {
  const at::Tensor unit = unit_rows(node.flatten(1));
  const at::Tensor others = 1 - at::eye(unit.size(0), unit.detach().options());
  const at::Tensor kernel = (at::mm(unit, unit.t()) + 1) * 0.5 * others;
  return kernel / kernel.sum(1, /*keepdim=*/true).clamp_min(kLeast);
}

}  // namespace

at::Tensor probabilistic_transfer(const at::Tensor& student,
                                  const at::Tensor& teacher,
                                  const recipe::HintOptions& /*options*/) {
  const at::Tensor p = neighbour_chances(teacher);
  const at::Tensor q = neighbour_chances(student);
  const auto samples = static_cast<double>(student.size(0));
  return (p * ((p + kLeast).log() - (q + kLeast).log())).sum() / samples;
}

}  // namespace coppice::train
