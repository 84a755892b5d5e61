#include "train/optimizers/moments.h"

namespace coppice::train {

namespace {

class Sgd final : public MomentOptimizer {
 public:
  Sgd(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options)
      : MomentOptimizer(std::move(parameters), options, {"momentum"}) {}

  std::string_view name() const override { return "sgd"; }

  void step(double learning_rate) override {
    const auto momentum = static_cast<float>(options_.momentum);
    const auto rate = static_cast<float>(learning_rate);
    // Nesterov's direction is g + momentum x velocity, the plain one velocity alone.
    const float of_gradient = options_.nesterov ? 1.0F : 0.0F;
    const float of_velocity = options_.nesterov ? momentum : 1.0F;
    for_each_gradient(
        parameters_,
        [&](size_t p, float* value, const float* gradient, int64_t first, int64_t last) {
          const auto decay = static_cast<float>(decay_of(parameters_[p], options_));
          float* velocity = moments_.data(0, p);
          for (int64_t i = first; i < last; ++i) {
            const float g = gradient[i] + decay * value[i];
            velocity[i] = momentum * velocity[i] + g;
            value[i] -= rate * (of_gradient * g + of_velocity * velocity[i]);
          }
        });
    ++steps_;
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(std::vector<Parameter> parameters,
                                    const recipe::OptimizerOptions& options) {
  return std::make_unique<Sgd>(std::move(parameters), options);
}

}  // namespace coppice::train
