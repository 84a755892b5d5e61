#include "train/penalties/absolute.h"

#include <ATen/core/grad_mode.h>

#include "train/network.h"

namespace coppice::train {

namespace {

class Absolute final : public Penalty {
 public:
  Absolute(const Network& network, double strength, ParameterKind kind) : strength_(strength) {
    for (const Parameter& p : network.parameters()) {
      if (p.kind == kind) {
        parameters_.push_back(p);
      }
    }
  }

  double add_gradient(int64_t /*step*/) const override {
    const at::NoGradGuard no_grad;
    double sum = 0;
    for (const Parameter& p : parameters_) {
      if (p.value.grad().defined()) {
        sum += p.value.abs().sum().item<double>();
        p.value.mutable_grad().add_(p.value.sign(), strength_);
      }
    }
    return strength_ * sum;
  }

 private:
  double strength_;
  std::vector<Parameter> parameters_;
};

}  // namespace

std::unique_ptr<Penalty> make_absolute(const Network& network,
                                       double strength,
                                       ParameterKind kind) {
  return std::make_unique<Absolute>(network, strength, kind);
}

}  // namespace coppice::train
