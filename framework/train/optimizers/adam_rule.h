#pragma once

#include "train/optimizers/moments.h"

namespace coppice::train {

/// The step that adam and adamw share; they differ in where the weight decay goes.
class AdamRule {
 public:
  enum class Decay { InGradient, Decoupled };

  AdamRule(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options, Decay decay);
  void step(double learning_rate);

  void set_beta1(double beta1) { options_.beta1 = beta1; }

  OptimizerState state() const { return moments_.state(steps_); }

  void restore(const OptimizerState& state);

 private:
  std::vector<Parameter> parameters_;
  recipe::OptimizerOptions options_;
  Decay decay_;
  Moments moments_;
  int64_t steps_ = 0;
};

}  // namespace coppice::train
