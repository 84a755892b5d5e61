#include "train/optimizer.h"

#include <cmath>

#include <ATen/ops/dot.h>

namespace coppice::train {

const core::Registry<OptimizerFactory>& optimizers() {
  static const core::Registry<OptimizerFactory> registry = [] {
    core::Registry<OptimizerFactory> r("optimizer");
    r.add("sgd", make_sgd, "stochastic gradient descent with (Nesterov's) momentum");
    r.add("adam", make_adam, "Adam with L2 penalty (Kingma and Ba, 2015)");
    r.add("adamw", make_adamw, "Adam with decoupled weight decay (Loshchilov and Hutter, 2019)");
    return r;
  }();
  return registry;
}

std::unique_ptr<Optimizer> make_optimizer(std::vector<Parameter> parameters,
                                          const recipe::OptimizerOptions& options) {
  return optimizers().get(options.name)(std::move(parameters), options);
}

double clip_gradients(const std::vector<Parameter>& parameters, double largest) {
  double squares = 0;
  for (const Parameter& p : parameters) {
    if (p.value.grad().defined()) {
      const at::Tensor flat = p.value.grad().reshape(-1);
      squares += at::dot(flat, flat).item<double>();
    }
  }
  const double norm = std::sqrt(squares);
  const double factor = largest / (norm + 1e-6);  // torch.nn.utils.clip_grad_norm_
  if (factor < 1) {
    for (const Parameter& p : parameters) {
      if (p.value.grad().defined()) {
        p.value.mutable_grad().mul_(factor);
      }
    }
  }
  return norm;
}

}  // namespace coppice::train
