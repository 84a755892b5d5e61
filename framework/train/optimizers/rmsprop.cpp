#include <algorithm>
#include <cmath>

#include "train/optimizers/moments.h"

namespace coppice::train {

namespace {

enum RmspropMoment : size_t { kMeanSquare, kMean, kVelocity };

class Rmsprop final : public MomentOptimizer {
 public:
  Rmsprop(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options)
      : MomentOptimizer(std::move(parameters), options, {"mean_square", "mean", "momentum"}) {}

  std::string_view name() const override { return "rmsprop"; }

  void step(double learning_rate) override {
    const auto rate = static_cast<float>(learning_rate);
    const auto momentum = static_cast<float>(options_.momentum);
    const auto alpha = static_cast<float>(options_.alpha);
    const auto rest = static_cast<float>(1 - options_.alpha);
    const auto epsilon = static_cast<float>(options_.epsilon);
    const float centre = options_.centered ? 1.0F : 0.0F;
    for_each_gradient(
        parameters_,
        [&](size_t p, float* value, const float* gradient, int64_t first, int64_t last) {
          const auto decay = static_cast<float>(decay_of(parameters_[p], options_));
          float* square = moments_.data(kMeanSquare, p);
          float* mean = moments_.data(kMean, p);
          float* velocity = moments_.data(kVelocity, p);
          for (int64_t i = first; i < last; ++i) {
            const float g = gradient[i] + decay * value[i];
            square[i] = alpha * square[i] + rest * g * g;
            mean[i] = alpha * mean[i] + rest * g;
            // Rounding takes the variance of a constant gradient below 0.
            const float variance = std::max(0.0F, square[i] - centre * mean[i] * mean[i]);
            velocity[i] = momentum * velocity[i] + g / (std::sqrt(variance) + epsilon);
            value[i] -= rate * velocity[i];
          }
        });
    ++steps_;
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_rmsprop(std::vector<Parameter> parameters,
                                        const recipe::OptimizerOptions& options) {
  return std::make_unique<Rmsprop>(std::move(parameters), options);
}

}  // namespace coppice::train
