#include <algorithm>
#include <cmath>

#include "core/every_cpu.h"
#include "train/optimizers/moments.h"

namespace coppice::train {

namespace {

enum RmspropMoment : size_t { kMeanSquare, kMean, kVelocity };

struct RmspropRates {
  float decay;
  float learning;
  float momentum;
  float alpha;
  float epsilon;
  bool centered;
};

COPPICE_FOR_EVERY_CPU void update_rmsprop(
    RmspropRates rates, ParameterPart x, float* square, float* mean, float* velocity) {
  const float centre = rates.centered ? 1.0F : 0.0F;
  const float rest = 1 - rates.alpha;
  for (int64_t i = 0; i < x.count; ++i) {
    const float g = x.gradient[i] + rates.decay * x.value[i];
    square[i] = rates.alpha * square[i] + rest * g * g;
    mean[i] = rates.alpha * mean[i] + rest * g;
    // Rounding takes the variance of a constant gradient below 0.
    const float variance = std::max(0.0F, square[i] - centre * mean[i] * mean[i]);
    velocity[i] = rates.momentum * velocity[i] + g / (std::sqrt(variance) + rates.epsilon);
    x.value[i] -= rates.learning * velocity[i];
  }
}

class Rmsprop final : public MomentOptimizer {
 public:
  Rmsprop(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options)
      : MomentOptimizer(std::move(parameters), options, {"mean_square", "mean", "momentum"}) {}

  std::string_view name() const override { return "rmsprop"; }

  void step(double learning_rate) override {
    const auto loop = [&](const ParameterPart& x) {
      const RmspropRates rates{static_cast<float>(decay_of(parameters_[x.parameter], options_)),
                               static_cast<float>(learning_rate),
                               static_cast<float>(options_.momentum),
                               static_cast<float>(options_.alpha),
                               static_cast<float>(options_.epsilon),
                               options_.centered};
      update_rmsprop(rates,
                     x,
                     moments_.data(kMeanSquare, x),
                     moments_.data(kMean, x),
                     moments_.data(kVelocity, x));
    };
    const auto ops = [&](size_t p, const at::Tensor& value, const at::Tensor& gradient) {
      const at::Tensor g = gradient.add(value, decay_of(parameters_[p], options_));
      const at::Tensor& square = moments_.tensor(kMeanSquare, p);
      const at::Tensor& mean = moments_.tensor(kMean, p);
      const at::Tensor& velocity = moments_.tensor(kVelocity, p);
      square.mul_(options_.alpha).addcmul_(g, g, 1 - options_.alpha);
      mean.mul_(options_.alpha).add_(g, 1 - options_.alpha);
      const at::Tensor variance =
          square.addcmul(mean, mean, options_.centered ? -1 : 0).clamp_min_(0);
      velocity.mul_(options_.momentum).addcdiv_(g, variance.sqrt_().add_(options_.epsilon));
      value.sub_(velocity, learning_rate);
    };
    for_each_gradient(parameters_, loop, ops);
    ++steps_;
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_rmsprop(std::vector<Parameter> parameters,
                                        const recipe::OptimizerOptions& options) {
  return std::make_unique<Rmsprop>(std::move(parameters), options);
}

}  // namespace coppice::train
