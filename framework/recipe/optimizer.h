#pragma once

#include <string>

#include "core/fields.h"

namespace coppice::recipe {

struct OptimizerOptions {
  std::string name = "sgd";  ///< "sgd", "adam", "adamw", "rmsprop"
  double learning_rate = 0.1;
  double momentum = 0.9;  ///< sgd; rmsprop (torch's default there is 0)
  bool nesterov = true;   ///< sgd
  double beta1 = 0.9;     ///< adam, adamw
  double beta2 = 0.999;
  double alpha = 0.99;    ///< rmsprop: decay of the mean square
  bool centered = false;  ///< rmsprop: by the variance, not the mean square
  double epsilon = 1e-8;
  double weight_decay = 5e-4;  ///< L2 in the gradient (sgd, adam, rmsprop), decoupled for adamw
  bool decay_all = false;      ///< biases and BN decay like weights

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
