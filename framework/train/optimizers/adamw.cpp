#include "train/optimizers/adam_rule.h"

namespace coppice::train {

namespace {

class AdamW final : public Optimizer {
 public:
  AdamW(std::vector<Parameter> parameters, const recipe::OptimizerOptions& options)
      : rule_(std::move(parameters), options, AdamRule::Decay::Decoupled) {}

  std::string_view name() const override { return "adamw"; }

  void step(double learning_rate) override { rule_.step(learning_rate); }

  void set_momentum(double momentum) override { rule_.set_beta1(momentum); }

  OptimizerState state() const override { return rule_.state(); }

  void restore(const OptimizerState& state) override { rule_.restore(state); }

 private:
  AdamRule rule_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adamw(std::vector<Parameter> parameters,
                                      const recipe::OptimizerOptions& options) {
  return std::make_unique<AdamW>(std::move(parameters), options);
}

}  // namespace coppice::train
