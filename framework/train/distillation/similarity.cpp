#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>

#include "train/distillation/hint_terms.h"
#include "train/distillation/unit_rows.h"

namespace coppice::train {

namespace {

/// [n, n]: products of the samples with each other, rows of norm 1.
at::Tensor similarities(const at::Tensor& node) {
  const at::Tensor rows = node.flatten(1);
  return unit_rows(at::mm(rows, rows.t()));
}

}  // namespace

at::Tensor similarity_preserving(const at::Tensor& student,
                                 const at::Tensor& teacher,
                                 const recipe::HintOptions& /*options*/) {
  return (similarities(student) - similarities(teacher)).square().mean();
}

}  // namespace coppice::train
