#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "recipe/distil.h"
#include "train/mix.h"
#include "train/teacher.h"

namespace coppice::train {

/// What a student says of samples that its teachers have answered.
struct Student {
  const at::Tensor& logits;   ///< [n, classes]
  const Activations& values;  ///< nodes of Distillation::reads()
  const at::Tensor& labels;   ///< [n], i64
  const Mixing& mixing;       ///< of these samples
};

/// Logarithm of the teachers' softened probabilities, averaged with `weights` (empty: all alike):
/// Hinton et al., 2015, of an ensemble.
at::Tensor joint_targets(const std::vector<Answer>& answers,
                         const std::vector<double>& weights,
                         const recipe::DistilOptions& options);

/// The terms of a student's loss that come from teachers.
class Distillation {
 public:
  explicit Distillation(recipe::DistilOptions options);

  /// The student's nodes that hints compare.
  std::vector<std::string> reads() const;

  /// (1 - alpha) label_loss + alpha targets + sum of weight x hint; terms of no weight are left
  /// out, so that what only they reach gets no gradient.
  at::Tensor loss(const at::Tensor& label_loss,
                  const Student& student,
                  const std::vector<Answer>& answers,
                  const Teacher& teacher) const;

  /// Distance of the logits from the teachers' targets alone. REQUIRES: method is not "none".
  at::Tensor target_loss(const Student& student, const std::vector<Answer>& answers) const;

 private:
  recipe::DistilOptions options_;
};

}  // namespace coppice::train
