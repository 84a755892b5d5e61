#include "core/every_cpu.h"
#include "train/optimizers/moments.h"

namespace coppice::train {

namespace {

struct SgdRates {
  float decay;
  float momentum;
  float learning;
  bool nesterov;
};

/// Nesterov's direction is g + momentum x velocity, the plain one velocity alone.
COPPICE_FOR_EVERY_CPU void update_sgd(SgdRates rates, ParameterPart x, float* velocity) {
  const float of_gradient = rates.nesterov ? 1.0F : 0.0F;
  const float of_velocity = rates.nesterov ? rates.momentum : 1.0F;
  for (int64_t i = 0; i < x.count; ++i) {
    const float g = x.gradient[i] + rates.decay * x.value[i];
    velocity[i] = rates.momentum * velocity[i] + g;
    x.value[i] -= rates.learning * (of_gradient * g + of_velocity * velocity[i]);
  }
}

class Sgd final : public MomentOptimizer {
 public:
  Sgd(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options)
      : MomentOptimizer(std::move(parameters), options, {"momentum"}) {}

  std::string_view name() const override { return "sgd"; }

  void step(double learning_rate) override {
    const auto loop = [&](const ParameterPart& x) {
      const SgdRates rates{static_cast<float>(decay_of(parameters_[x.parameter], options_)),
                           static_cast<float>(options_.momentum),
                           static_cast<float>(learning_rate),
                           options_.nesterov};
      update_sgd(rates, x, moments_.data(0, x));
    };
    const auto ops = [&](size_t p, const at::Tensor& value, const at::Tensor& gradient) {
      const at::Tensor g = gradient.add(value, decay_of(parameters_[p], options_));
      const at::Tensor& velocity = moments_.tensor(0, p);
      velocity.mul_(options_.momentum).add_(g);
      value.sub_(options_.nesterov ? g.add(velocity, options_.momentum) : velocity, learning_rate);
    };
    for_each_gradient(parameters_, loop, ops);
    ++steps_;
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(std::vector<Parameter> parameters,
                                    const recipe::OptimizerOptions& options) {
  return std::make_unique<Sgd>(std::move(parameters), options);
}

}  // namespace coppice::train
