#include "train/optimizers/adam_rule.h"

namespace coppice::train {

namespace {

class Adam final : public AdamRule {
 public:
  Adam(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options)
      : AdamRule(std::move(parameters), options, Decay::InGradient) {}

  std::string_view name() const override { return "adam"; }
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(std::vector<Parameter> parameters,
                                     const recipe::OptimizerOptions& options) {
  return std::make_unique<Adam>(std::move(parameters), options);
}

}  // namespace coppice::train
