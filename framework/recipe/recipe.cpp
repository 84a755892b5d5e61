#include "recipe/recipe.h"

namespace coppice::recipe {

void TrainOptions::visit(core::Fields& f) {
  f.field("epochs", epochs, {.help = "passes over the training set", .min = 1, .max = 1e6});
  f.field("steps_per_epoch",
          steps_per_epoch,
          {.help = "steps of an epoch; 0: one pass over the training set", .min = 0, .max = 1e9});
  f.field("batch_size", batch_size, {.help = "samples in a step", .min = 1, .max = 65536});
  f.group("task", task, "what the network learns");
  f.group("optimizer", optimizer, "update rule");
  f.group("schedule", schedule, "learning rate over time");
  f.group("distil", distil, "what is learnt from a teacher, when there is one");
  f.field("label_smoothing",
          label_smoothing,
          {.help = "share of the target spread over all classes", .min = 0, .max = 1});
  f.field("gradient_clip",
          gradient_clip,
          {.help = "largest global norm of the gradient; 0: off", .min = 0, .max = 1e9});
  f.field("gradient_clip_value",
          gradient_clip_value,
          {.help = "largest magnitude of a gradient's element; 0: off", .min = 0, .max = 1e9});
  f.group("penalty", penalty, "what the parameters cost");
  f.list("augmentation", augmentation, "random changes of every training sample");
  f.group("mix", mix, "changes of whole batches, after augmentation");
  f.field("sam_rho",
          sam_rho,
          {.help = "radius of sharpness-aware minimisation (two passes a step); 0: off",
           .min = 0,
           .max = 100});
  f.field("ema_decay",
          ema_decay,
          {.help = "of the weights' moving average, which is validated and kept; 0: off",
           .min = 0,
           .max = 0.999999});
  f.field(
      "keep",
      keep,
      {.help = "what stays of a sparsified or shared model: its zeros; or those, and that equal "
               "weights are equal",
       .choices = {"nothing", "zeros", "shared"}});
  f.group("sparsity", sparsity, "weights that become zero little by little");
  f.group("early_stopping", early_stopping, "when to end before the last epoch");
  f.group("checkpoint", checkpoint, "when the run is saved");
  f.group("qat", qat, "training with the rounding of int8");
  f.field("strategies", strategies, {.help = "named hooks around training steps, in order"});
  f.field(
      "replay_share",
      replay_share,
      {.help = "share of a batch drawn from replayed data, when there is any", .min = 0, .max = 1});
  f.field("threads",
          threads,
          {.help = "threads; 0: every core that the network keeps busy", .min = 0, .max = 1024});
  f.field("device",
          device,
          {.help = "what computes; auto: a GPU where there is one",
           .choices = {"auto", "cpu", "cuda"}});
  f.field("precision",
          precision,
          {.help = "of convolutions and matrix products in training, weights stay float32; auto: "
                   "bfloat16 where the hardware multiplies it",
           .choices = {"float32", "bfloat16", "auto"}});
}

void ImportedOptions::visit(core::Fields& f) {
  f.field("onnx", onnx, {.help = "ONNX file of the network; empty: `model` is built"});
  f.field("mean",
          mean,
          {.help = "per channel, taken off raw values before it; empty: the training set's, where "
                   "it takes f32 and samples are bytes"});
  f.field("std", std, {.help = "per channel, that they are divided by then"});
}

void TrainJob::visit(core::Fields& f) {
  f.group("model", model, "network to build");
  f.group("imported", imported, "network to start from instead");
  f.group("train", train, "how to train it");
}

}  // namespace coppice::recipe
