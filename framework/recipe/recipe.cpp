#include "recipe/recipe.h"

namespace coppice::recipe {

void OptimizerOptions::visit(core::Fields& f) {
  f.field("name", name, {.help = "update rule", .choices = {"sgd", "adam", "adamw"}});
  f.field("learning_rate", learning_rate, {.help = "step size at its peak", .min = 1e-9, .max = 100});
  f.field("momentum", momentum, {.help = "sgd: share of the last step kept", .min = 0, .max = 1});
  f.field("nesterov", nesterov, {.help = "sgd: look ahead along the momentum"});
  f.field("beta1", beta1, {.help = "adam: decay of the first moment", .min = 0, .max = 1});
  f.field("beta2", beta2, {.help = "adam: decay of the second moment", .min = 0, .max = 1});
  f.field("epsilon", epsilon, {.help = "adam: added to the root of the second moment", .min = 0, .max = 1});
  f.field("weight_decay",
          weight_decay,
          {.help = "L2 penalty (sgd, adam) or decoupled decay (adamw); not for BN and biases",
           .min = 0,
           .max = 10});
}

void ScheduleOptions::visit(core::Fields& f) {
  f.field("name",
          name,
          {.help = "learning rate over time",
           .choices = {"constant", "step", "cosine", "one_cycle"}});
  f.field("warmup_epochs",
          warmup_epochs,
          {.help = "linear rise from 0", .unit = "epochs", .min = 0, .max = 1e6});
  f.field("final_share",
          final_share,
          {.help = "cosine, one_cycle: last learning rate / peak", .min = 0, .max = 1});
  f.field("step_epochs",
          step_epochs,
          {.help = "step: epochs between drops", .unit = "epochs", .min = 1, .max = 1e6});
  f.field("step_factor", step_factor, {.help = "step: factor of a drop", .min = 0, .max = 1});
}

void DistilOptions::visit(core::Fields& f) {
  f.field("temperature", temperature, {.help = "softens both outputs", .min = 0.1, .max = 1000});
  f.field("alpha", alpha, {.help = "weight of the teacher's targets", .min = 0, .max = 1});
  f.field("on",
          on,
          {.help = "samples that the teacher's targets are used for", .choices = {"all", "replay"}});
}

void TrainOptions::visit(core::Fields& f) {
  f.field("epochs", epochs, {.help = "passes over the training set", .min = 1, .max = 1e6});
  f.field("steps_per_epoch",
          steps_per_epoch,
          {.help = "steps of an epoch; 0: one pass over the training set", .min = 0, .max = 1e9});
  f.field("batch_size", batch_size, {.help = "samples in a step", .min = 1, .max = 65536});
  f.group("optimizer", optimizer, "update rule");
  f.group("schedule", schedule, "learning rate over time");
  f.group("distil", distil, "soft targets of a teacher, when there is one");
  f.field("label_smoothing",
          label_smoothing,
          {.help = "share of the target spread over all classes", .min = 0, .max = 1});
  f.field("gradient_clip",
          gradient_clip,
          {.help = "largest global norm of the gradient; 0: off", .min = 0, .max = 1e9});
  f.list("augmentation", augmentation, "random changes of every training image");
  f.field("strategies", strategies, {.help = "named hooks around training steps, in order"});
  f.field("replay_share",
          replay_share,
          {.help = "share of a batch drawn from replayed data, when there is any", .min = 0, .max = 1});
  f.field("threads", threads, {.help = "threads; 0: every core", .min = 0, .max = 1024});
}

void TrainJob::visit(core::Fields& f) {
  f.group("model", model, "network to build");
  f.group("train", train, "how to train it");
}

}  // namespace coppice::recipe
