#include "recipe/optimizer.h"

namespace coppice::recipe {

void OptimizerOptions::visit(core::Fields& f) {
  f.field("name", name, {.help = "update rule", .choices = {"sgd", "adam", "adamw", "rmsprop"}});
  f.field(
      "learning_rate", learning_rate, {.help = "step size at its peak", .min = 1e-9, .max = 100});
  f.field("momentum",
          momentum,
          {.help = "sgd, rmsprop: share of the last step kept", .min = 0, .max = 1});
  f.field("nesterov", nesterov, {.help = "sgd: look ahead along the momentum"});
  f.field("beta1", beta1, {.help = "adam: decay of the first moment", .min = 0, .max = 1});
  f.field("beta2", beta2, {.help = "adam: decay of the second moment", .min = 0, .max = 1});
  f.field("alpha", alpha, {.help = "rmsprop: decay of the mean square", .min = 0, .max = 1});
  f.field("centered",
          centered,
          {.help = "rmsprop: divide by the variance's root, not the mean square's"});
  f.field("epsilon",
          epsilon,
          {.help = "adam, rmsprop: added to the root of the second moment", .min = 0, .max = 1});
  f.field("weight_decay",
          weight_decay,
          {.help = "L2 in the gradient (sgd, adam, rmsprop) or decoupled decay (adamw)",
           .min = 0,
           .max = 10});
  f.field("decay_all", decay_all, {.help = "decay biases and BN too, not weights alone"});
}

}  // namespace coppice::recipe
