#include "recipe/qat.h"

namespace coppice::recipe {

void QatOptions::visit(core::Fields& f) {
  f.field(
      "method",
      method,
      {.help = "rounding to int8 in training: none, straight-through (ste), or with scales that "
               "are learned (lsq)",
       .choices = {"none", "ste", "lsq"}});
  f.field("freeze_bn_after",
          freeze_bn_after,
          {.help = "when BN's statistics stop to follow the batches, and activation ranges of ste",
           .unit = "epochs",
           .min = 0,
           .max = 1e6});
  f.field(
      "range_momentum",
      range_momentum,
      {.help = "share of a batch's largest value in the moving range of an activation (ste); 0: "
               "ranges stay as calibrated",
       .min = 0,
       .max = 1});
  f.field("scales",
          scales,
          {.help = "to start from: of the calibration, or 2 mean|v| / sqrt(largest integer)",
           .choices = {"calibrated", "lsq"}});
  f.field("calibration",
          calibration,
          {.help = "how activation ranges are chosen at first",
           .choices = {"entropy", "min_max", "mse", "percentile"}});
  f.field("percentile",
          percentile,
          {.help = "of activations kept inside the range", .unit = "%", .min = 50, .max = 100});
  f.field("samples", samples, {.help = "calibration samples, of the training data", .min = 1});
  f.field("round_sums",
          round_sums,
          {.help = "round both inputs of an Add, for runtimes that add integers only"});
  f.field("float_layers", float_layers, {.help = "names of Conv and Gemm nodes that stay float"});
}

}  // namespace coppice::recipe
