#include "train/optimizers/adam_rule.h"

#include <cmath>

namespace coppice::train {

AdamRule::AdamRule(std::vector<Parameter> parameters,
                   const recipe::OptimizerOptions& options,
                   Decay decay)
    : MomentOptimizer(std::move(parameters), options, {"first_moment", "second_moment"}),
      decay_(decay) {}

void AdamRule::step(double learning_rate) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const double first_correction = 1 - std::pow(options_.beta1, t);
  const auto second_root = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)));
  const auto beta1 = static_cast<float>(options_.beta1);
  const auto beta2 = static_cast<float>(options_.beta2);
  const auto rest1 = static_cast<float>(1 - options_.beta1);
  const auto rest2 = static_cast<float>(1 - options_.beta2);
  const auto epsilon = static_cast<float>(options_.epsilon);
  const auto step_size = static_cast<float>(learning_rate / first_correction);
  for_each_gradient(
      parameters_, [&](size_t p, float* value, const float* gradient, int64_t first, int64_t last) {
        const double decay = decay_of(parameters_[p], options_);
        const bool decoupled = decay_ == Decay::Decoupled;
        const auto in_gradient = static_cast<float>(decoupled ? 0 : decay);
        const auto shrink = static_cast<float>(decoupled ? 1 - learning_rate * decay : 1);
        float* mean = moments_.data(0, p);
        float* square = moments_.data(1, p);
        for (int64_t i = first; i < last; ++i) {
          const float g = gradient[i] + in_gradient * value[i];
          mean[i] = beta1 * mean[i] + rest1 * g;
          square[i] = beta2 * square[i] + rest2 * g * g;
          value[i] = shrink * value[i] -
                     step_size * mean[i] / (std::sqrt(square[i]) / second_root + epsilon);
        }
      });
}

}  // namespace coppice::train
