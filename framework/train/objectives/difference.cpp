#include "train/objectives/difference.h"

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/huber_loss.h>
#include <ATen/ops/l1_loss.h>
#include <ATen/ops/mse_loss.h>

#include "core/error.h"

namespace coppice::train {

at::Tensor difference_loss(const at::Tensor& output,
                           const at::Tensor& target,
                           const recipe::TaskOptions& options) {
  if (options.loss == "auto" || options.loss == "mse") {
    return at::mse_loss(output, target);
  }
  if (options.loss == "mae") {
    return at::l1_loss(output, target);
  }
  if (options.loss == "huber") {
    return at::huber_loss(output, target, at::Reduction::Mean, options.huber_delta);
  }
  throw core::Error(core::ErrorKind::NotFound,
                    "task.loss '" + options.loss + "' compares no numbers; use mse, mae or huber");
}

}  // namespace coppice::train
