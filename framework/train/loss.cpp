#include "train/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "train/batch_tensors.h"
#include "train/mix.h"

namespace coppice::train {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing) {
  return at::cross_entropy_loss(
      logits, labels, {}, at::Reduction::Mean, /*ignore_index=*/-100, smoothing);
}

at::Tensor mixed_cross_entropy(const at::Tensor& logits,
                               const at::Tensor& labels,
                               const Mixing& mixing,
                               double smoothing) {
  const at::Tensor own = cross_entropy(logits, labels, smoothing);
  if (!mixing.mixes()) {
    return own;
  }
  const at::Tensor others =
      labels.index_select(0, positions_of(mixing.partner).to(logits.device()));
  return mixing.share * own + (1 - mixing.share) * cross_entropy(logits, others, smoothing);
}

}  // namespace coppice::train
