#include "train/optimizers/adam_rule.h"

#include <cmath>

#include "core/every_cpu.h"

namespace coppice::train {

namespace {

struct AdamRates {
  float decay;   ///< in the gradient
  float shrink;  ///< of the values themselves: the decoupled decay
  float beta1;
  float rest1;
  float beta2;
  float rest2;
  float step_size;    ///< learning rate by the first moment's correction
  float second_root;  ///< of the second moment's correction
  float epsilon;
};

COPPICE_FOR_EVERY_CPU void update_adam(AdamRates rates,
                                       ParameterPart x,
                                       float* mean,
                                       float* square) {
  for (int64_t i = 0; i < x.count; ++i) {
    const float g = x.gradient[i] + rates.decay * x.value[i];
    mean[i] = rates.beta1 * mean[i] + rates.rest1 * g;
    square[i] = rates.beta2 * square[i] + rates.rest2 * g * g;
    x.value[i] =
        rates.shrink * x.value[i] -
        rates.step_size * mean[i] / (std::sqrt(square[i]) / rates.second_root + rates.epsilon);
  }
}

}  // namespace

AdamRule::AdamRule(std::vector<Parameter> parameters,
                   const recipe::OptimizerOptions& options,
                   Decay decay)
    : MomentOptimizer(std::move(parameters), options, {"first_moment", "second_moment"}),
      decay_(decay) {}

void AdamRule::step(double learning_rate) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const double step_size = learning_rate / (1 - std::pow(options_.beta1, t));
  const double second_root = std::sqrt(1 - std::pow(options_.beta2, t));
  const bool decoupled = decay_ == Decay::Decoupled;
  const auto loop = [&](const ParameterPart& x) {
    const double decay = decay_of(parameters_[x.parameter], options_);
    const AdamRates rates{static_cast<float>(decoupled ? 0 : decay),
                          static_cast<float>(decoupled ? 1 - learning_rate * decay : 1),
                          static_cast<float>(options_.beta1),
                          static_cast<float>(1 - options_.beta1),
                          static_cast<float>(options_.beta2),
                          static_cast<float>(1 - options_.beta2),
                          static_cast<float>(step_size),
                          static_cast<float>(second_root),
                          static_cast<float>(options_.epsilon)};
    update_adam(rates, x, moments_.data(0, x), moments_.data(1, x));
  };
  const auto ops = [&](size_t p, const at::Tensor& value, const at::Tensor& gradient) {
    const double decay = decay_of(parameters_[p], options_);
    const at::Tensor g = gradient.add(value, decoupled ? 0 : decay);
    const at::Tensor& mean = moments_.tensor(0, p);
    const at::Tensor& square = moments_.tensor(1, p);
    mean.mul_(options_.beta1).add_(g, 1 - options_.beta1);
    square.mul_(options_.beta2).addcmul_(g, g, 1 - options_.beta2);
    value.mul_(decoupled ? 1 - learning_rate * decay : 1);
    value.addcdiv_(mean, square.sqrt().div_(second_root).add_(options_.epsilon), -step_size);
  };
  for_each_gradient(parameters_, loop, ops);
}

}  // namespace coppice::train
