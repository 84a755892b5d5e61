#include "train/optimizer.h"

namespace coppice::train {

const core::Registry<OptimizerFactory>& optimizers() {
  static const core::Registry<OptimizerFactory> registry = [] {
    core::Registry<OptimizerFactory> r("optimizer");
    r.add("sgd", make_sgd, "stochastic gradient descent with (Nesterov's) momentum");
    r.add("adam", make_adam, "Adam with L2 penalty (Kingma and Ba, 2015)");
    r.add("adamw", make_adamw, "Adam with decoupled weight decay (Loshchilov and Hutter, 2019)");
    r.add("rmsprop",
          make_rmsprop,
          "by the root of a running mean square (Tieleman and Hinton, 2012)");
    return r;
  }();
  return registry;
}

std::unique_ptr<Optimizer> make_optimizer(std::vector<Parameter> parameters,
                                          const recipe::OptimizerOptions& options) {
  return optimizers().get(options.name)(std::move(parameters), options);
}

}  // namespace coppice::train
