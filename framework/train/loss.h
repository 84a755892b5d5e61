#pragma once

#include <ATen/core/ATen_fwd.h>

namespace coppice::train {

struct Mixing;

/// Mean cross entropy of `logits` [n, classes] against `labels` [n] (i64), `smoothing` of each
/// target spread evenly over all classes (Szegedy et al., CVPR 2016).
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing);

/// The same of a batch that may be mixed: each sample's own label and its partner's by their
/// shares.
at::Tensor mixed_cross_entropy(const at::Tensor& logits,
                               const at::Tensor& labels,
                               const Mixing& mixing,
                               double smoothing);

}  // namespace coppice::train
