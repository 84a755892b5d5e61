#pragma once

#include <ATen/core/ATen_fwd.h>

#include "recipe/recipe.h"

namespace coppice::train {

/// Mean over all elements of `output` and `target` (the same shape), by options.task.loss: mse
/// (also for "auto"), mae, or huber: d^2 / 2 below huber_delta, huber_delta (|d| - huber_delta / 2)
/// above (Huber, 1964). Throws Error{NotFound} for another name.
at::Tensor difference_loss(const at::Tensor& output,
                           const at::Tensor& target,
                           const recipe::TaskOptions& options);

}  // namespace coppice::train
