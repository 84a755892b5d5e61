#include "train/strategies/l2_sp.h"

#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "train/network.h"
#include "train/parameter.h"

namespace coppice::train {

namespace {

constexpr double kStrength = 0.01;  // the paper's choice where the source data resembles the target

class L2Sp final : public Strategy {
 public:
  explicit L2Sp(double strength) : strength_(strength) {}

  std::string_view name() const override { return "l2_sp"; }

  void experience_begins(const Experience& experience) override {
    anchored_.clear();
    for (const Parameter& p : experience.network.parameters()) {
      if (p.kind == ParameterKind::Weight || p.kind == ParameterKind::Bias) {
        anchored_.push_back({p.value, p.value.detach().clone()});
      }
    }
  }

  void before_step(TrainingStep& step) override {
    for (const auto& [value, start] : anchored_) {
      step.loss = step.loss + (value - start).square().sum() * (strength_ / 2);
    }
  }

 private:
  struct Anchor {
    at::Tensor value;
    at::Tensor start;
  };

  double strength_;
  std::vector<Anchor> anchored_;
};

}  // namespace

std::unique_ptr<Strategy> make_l2_sp_of(double strength) {
  return std::make_unique<L2Sp>(strength);
}

std::unique_ptr<Strategy> make_l2_sp() {
  return make_l2_sp_of(kStrength);
}

}  // namespace coppice::train
