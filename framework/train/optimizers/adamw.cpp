#include "train/optimizers/adam_rule.h"

namespace coppice::train {

namespace {

class AdamW final : public AdamRule {
 public:
  AdamW(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options)
      : AdamRule(std::move(parameters), options, Decay::Decoupled) {}

  std::string_view name() const override { return "adamw"; }
};

}  // namespace

std::unique_ptr<Optimizer> make_adamw(std::vector<Parameter> parameters,
                                      const recipe::OptimizerOptions& options) {
  return std::make_unique<AdamW>(std::move(parameters), options);
}

}  // namespace coppice::train
