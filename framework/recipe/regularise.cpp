#include "recipe/regularise.h"

namespace coppice::recipe {

void GrowingOptions::visit(core::Fields& f) {
  f.field(
      "ceiling",
      ceiling,
      {.help = "strength that it grows to, x half the sum of w^2; 0: off", .min = 0, .max = 1e3});
  f.field("share", share, {.help = "of every group's channels", .min = 0, .max = 1});
  f.field("increment", increment, {.help = "of the strength", .min = 1e-12, .max = 1e3});
  f.field("every", every, {.help = "from one increment to the next", .unit = "steps", .min = 1});
}

void PenaltyOptions::visit(core::Fields& f) {
  f.field("l1", l1, {.help = "x sum of |w|; 0: off", .min = 0, .max = 1e3});
  f.field("l2", l2, {.help = "x half the sum of w^2, in the loss; 0: off", .min = 0, .max = 1e3});
  f.field("decoupled_decay",
          decoupled_decay,
          {.help = "weights shrink by learning rate x this, with any optimiser; 0: off",
           .min = 0,
           .max = 10});
  f.field("group_lasso",
          group_lasso,
          {.help = "x sum of the norms of hidden output channels; 0: off", .min = 0, .max = 1e3});
  f.field(
      "bn_sparsity", bn_sparsity, {.help = "x sum of |BN scale|; 0: off", .min = 0, .max = 1e3});
  f.group("growing", growing, "growing regularisation of the channels that will be pruned");
}

void MixOptions::visit(core::Fields& f) {
  f.field("mixup_alpha",
          mixup_alpha,
          {.help = "blend pairs of samples by Beta(alpha, alpha); 0: off", .min = 0, .max = 100});
  f.field("mixup_probability", mixup_probability, {.help = "share of batches", .min = 0, .max = 1});
  f.field("cutmix_alpha",
          cutmix_alpha,
          {.help = "paste boxes of area 1 - Beta(alpha, alpha); 0: off", .min = 0, .max = 100});
  f.field(
      "cutmix_probability", cutmix_probability, {.help = "share of batches", .min = 0, .max = 1});
  f.field("cutout_side",
          cutout_side,
          {.help = "blank a square of this share of the shorter side; 0: off", .min = 0, .max = 1});
  f.field(
      "cutout_probability", cutout_probability, {.help = "share of batches", .min = 0, .max = 1});
}

void EarlyStoppingOptions::visit(core::Fields& f) {
  f.field("patience",
          patience,
          {.help = "epochs without a lower validation loss before the run ends; 0: off",
           .unit = "epochs",
           .min = 0,
           .max = 1e6});
  f.field("min_delta", min_delta, {.help = "fall of the loss that counts", .min = 0, .max = 1e9});
  f.field("restore_best", restore_best, {.help = "end with the weights of the best epoch"});
}

}  // namespace coppice::recipe
