#include <ATen/core/grad_mode.h>

#include "train/network.h"
#include "train/parameter.h"
#include "train/penalty.h"

namespace coppice::train {

namespace {

class L2 final : public Penalty {
 public:
  L2(const Network& network, double strength) : strength_(strength) {
    for (const Parameter& p : network.parameters()) {
      if (p.decays()) {
        weights_.push_back(p);
      }
    }
  }

  double add_gradient(int64_t /*step*/) const override {
    const at::NoGradGuard no_grad;
    double sum = 0;
    for (const Parameter& p : weights_) {
      if (p.value.grad().defined()) {
        sum += p.value.square().sum().item<double>();
        p.value.mutable_grad().add_(p.value, strength_);
      }
    }
    return strength_ / 2 * sum;
  }

 private:
  double strength_;
  std::vector<Parameter> weights_;
};

}  // namespace

std::unique_ptr<Penalty> make_l2(const Network& network, double strength) {
  return std::make_unique<L2>(network, strength);
}

}  // namespace coppice::train
