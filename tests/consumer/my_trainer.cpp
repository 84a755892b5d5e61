// coppice-train with one more strategy: coppice run FILE --trainer ./my-trainer
#include <memory>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/log_softmax.h>

#include "train/train_main.h"

namespace {

using namespace coppice;

/// Takes beta x the predictions' entropy off the loss (Pereyra et al., 2017: confidence penalty).
class ConfidencePenalty final : public train::Strategy {
 public:
  std::string_view name() const override { return "confidence_penalty"; }

  void before_step(train::TrainingStep& step) override {
    const at::Tensor log_p = at::log_softmax(step.logits, 1);
    step.loss = step.loss + kBeta * (log_p.exp() * log_p).sum(1).mean();
  }

 private:
  static constexpr double kBeta = 0.1;
};

}  // namespace

int main(int argc, char** argv) {
  auto components = train::built_in_components();
  components.strategies.add(
      "confidence_penalty",
      [] { return std::make_unique<ConfidencePenalty>(); },
      "rewards entropy of the predictions (Pereyra et al., 2017)");
  return train::train_main(argc, argv, components);
}
