#pragma once

#include <ATen/core/ATen_fwd.h>

namespace coppice::train {

/// Vectors along the last dimension scaled to norm 1; those of norm 0 stay 0 and get no gradient,
/// as they have no direction.
at::Tensor unit_rows(const at::Tensor& rows);

/// Norms along the last dimension, with gradient 0 where they are 0.
at::Tensor row_norms(const at::Tensor& rows);

}  // namespace coppice::train
