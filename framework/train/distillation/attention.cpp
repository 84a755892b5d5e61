#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/adaptive_avg_pool2d.h>

#include "train/distillation/hint_terms.h"
#include "train/distillation/unit_rows.h"

namespace coppice::train {

namespace {

/// [n, c, h, w] or [n, c, t] as a map [n, 1, h, w].
at::Tensor attention_map(const at::Tensor& activations, double power) {
  const at::Tensor map = activations.abs().pow(power).mean(1, /*keepdim=*/true);
  return map.dim() == 3 ? map.unsqueeze(2) : map;
}

}  // namespace

at::Tensor attention_transfer(const at::Tensor& student,
                              const at::Tensor& teacher,
                              const recipe::HintOptions& options) {
  at::Tensor s = attention_map(student, options.power);
  at::Tensor t = attention_map(teacher, options.power);
  if (s.sizes() != t.sizes()) {
    const std::vector<int64_t> smaller{std::min(s.size(2), t.size(2)),
                                       std::min(s.size(3), t.size(3))};
    s = at::adaptive_avg_pool2d(s, smaller);
    t = at::adaptive_avg_pool2d(t, smaller);
  }
  return (unit_rows(s.flatten(1)) - unit_rows(t.flatten(1))).square().mean();
}

}  // namespace coppice::train
