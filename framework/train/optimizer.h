#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/registry.h"
#include "recipe/optimizer.h"
#include "train/parameter.h"

namespace coppice::train {

/// What an optimiser must remember between steps, for checkpoints. Tensors are named
/// "<moment>/<parameter>".
struct OptimizerState {
  int64_t steps = 0;
  std::map<std::string, at::Tensor> tensors;
};

/// Changes parameters in place by their gradients. Parameters without a gradient stay as they are.
///
/// Weight decay applies to parameters that `decays()`: BN and biases are left out unless
/// options.decay_all.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  virtual std::string_view name() const = 0;
  virtual void step(double learning_rate) = 0;

  /// From the next step on: momentum, of Adam beta1. For schedules that cycle it.
  virtual void set_momentum(double momentum) = 0;

  /// Shares memory with the optimiser.
  virtual OptimizerState state() const = 0;
  /// Throws Error{Corrupt} for a state of other parameters or another optimiser.
  virtual void restore(const OptimizerState& state) = 0;
};

/// sgd: with momentum and Nesterov's as in torch.optim.SGD (Sutskever et al., ICML 2013), dampening
/// 0.
std::unique_ptr<Optimizer> make_sgd(std::vector<Parameter> parameters,
                                    const recipe::OptimizerOptions& options);
/// adam: Kingma and Ba, ICLR 2015, with L2 penalty.
std::unique_ptr<Optimizer> make_adam(std::vector<Parameter> parameters,
                                     const recipe::OptimizerOptions& options);
/// adamw: Loshchilov and Hutter, ICLR 2019, decoupled decay.
std::unique_ptr<Optimizer> make_adamw(std::vector<Parameter> parameters,
                                      const recipe::OptimizerOptions& options);
/// rmsprop: Tieleman and Hinton, 2012; centred: Graves, 2013; with L2 penalty.
std::unique_ptr<Optimizer> make_rmsprop(std::vector<Parameter> parameters,
                                        const recipe::OptimizerOptions& options);

using OptimizerFactory = std::unique_ptr<Optimizer> (*)(std::vector<Parameter>,
                                                        const recipe::OptimizerOptions&);
const core::Registry<OptimizerFactory>& optimizers();

/// By options.name. Throws Error{NotFound}.
std::unique_ptr<Optimizer> make_optimizer(std::vector<Parameter> parameters,
                                          const recipe::OptimizerOptions& options);

}  // namespace coppice::train
