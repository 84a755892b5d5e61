#include "train/distillation/unit_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace coppice::train {

namespace {

constexpr double kNothing = 1e-24;  ///< of a sum of squares

struct Squares {
  at::Tensor sums;  ///< 1 where there is nothing
  at::Tensor some;  ///< 1 where there is something, else 0

  explicit Squares(const at::Tensor& rows) : sums(rows.square().sum(-1)) {
    const at::Tensor none = sums.detach().le(kNothing);
    some = none.logical_not().to(rows.scalar_type());
    sums = sums.masked_fill(none, 1);
  }
};

}  // namespace

at::Tensor unit_rows(const at::Tensor& rows) {
  const Squares squares(rows);
  return rows * (squares.sums.rsqrt() * squares.some).unsqueeze(-1);
}

at::Tensor row_norms(const at::Tensor& rows) {
  const Squares squares(rows);
  return squares.sums.sqrt() * squares.some;
}

}  // namespace coppice::train
