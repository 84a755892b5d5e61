#pragma once

#include "train/optimizers/moments.h"

namespace coppice::train {

/// The step that adam and adamw share; they differ in where the weight decay goes.
class AdamRule : public MomentOptimizer {
 public:
  void step(double learning_rate) override;

  void set_momentum(double momentum) override { options_.beta1 = momentum; }

 protected:
  enum class Decay { InGradient, Decoupled };

  AdamRule(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options, Decay decay);

 private:
  Decay decay_;
};

}  // namespace coppice::train
