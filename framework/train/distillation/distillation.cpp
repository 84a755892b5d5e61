#include "train/distillation/distillation.h"

#include <cmath>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/stack.h>

#include "core/error.h"
#include "train/batch_tensors.h"
#include "train/distillation/hint_terms.h"
#include "train/distillation/logit_terms.h"
#include "train/distillation/regressor.h"

namespace coppice::train {

at::Tensor joint_targets(const std::vector<Answer>& answers,
                         const std::vector<double>& weights,
                         const recipe::DistilOptions& options) {
  if (answers.size() == 1) {
    return log_probabilities(answers.front().logits, options);
  }
  const double sum = weights.empty() ? static_cast<double>(answers.size())
                                     : std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<at::Tensor> weighted;
  for (size_t i = 0; i < answers.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[i];
    if (weight > 0) {
      weighted.push_back(log_probabilities(answers[i].logits, options) + std::log(weight / sum));
    }
  }
  return at::logsumexp(at::stack(weighted), 0);
}

Distillation::Distillation(recipe::DistilOptions options) : options_(std::move(options)) {}

std::vector<std::string> Distillation::reads() const {
  std::vector<std::string> nodes;
  for (size_t i = 0; i < options_.hints.size(); ++i) {
    nodes.push_back(compared_node(options_, i));
  }
  return nodes;
}

at::Tensor Distillation::target_loss(const Student& student,
                                     const std::vector<Answer>& answers) const {
  const LogitMethod& method = logit_methods().get(options_.method);
  const at::Tensor targets = joint_targets(answers, options_.teacher_weights, options_).detach();
  const at::Tensor ours = log_probabilities(student.logits, options_);
  const at::Tensor own = method.loss(ours, targets, student.labels, options_);
  if (!method.reads_labels || !student.mixing.mixes()) {
    return own;
  }
  const at::Tensor others = student.labels.index_select(
      0, positions_of(student.mixing.partner).to(student.labels.device()));
  return student.mixing.share * own +
         (1 - student.mixing.share) * method.loss(ours, targets, others, options_);
}

at::Tensor Distillation::loss(const at::Tensor& label_loss,
                              const Student& student,
                              const std::vector<Answer>& answers,
                              const Teacher& teacher) const {
  at::Tensor total;
  const auto add = [&](double weight, const at::Tensor& term) {
    total = total.defined() ? total + weight * term : weight * term;
  };
  if (options_.alpha < 1) {
    add(1 - options_.alpha, label_loss);
  }
  if (options_.alpha > 0 && options_.method != "none") {
    add(options_.alpha, target_loss(student, answers));
  }
  for (size_t i = 0; i < options_.hints.size(); ++i) {
    const recipe::HintOptions& hint = options_.hints[i];
    if (hint.weight > 0) {
      const at::Tensor& theirs = answers[teacher.index(hint.of)].nodes.at(hint.teacher);
      add(hint.weight,
          hint_methods()
              .get(hint.method)
              .loss(student.values.at(compared_node(options_, i)), theirs, hint));
    }
  }
  COPPICE_CHECK(total.defined(), "recipe::check refuses a loss without terms");
  return total;
}

}  // namespace coppice::train
