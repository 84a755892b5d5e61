#include "recipe/schedule.h"

namespace coppice::recipe {

void PlateauOptions::visit(core::Fields& f) {
  f.field("patience",
          patience,
          {.help = "epochs without improvement that are forgiven",
           .unit = "epochs",
           .min = 0,
           .max = 1e6});
  f.field("factor", factor, {.help = "factor of a drop", .min = 0, .max = 1});
  f.field("threshold",
          threshold,
          {.help = "improvement that counts, as a share of the best loss", .min = 0, .max = 1});
  f.field(
      "cooldown",
      cooldown,
      {.help = "epochs after a drop that do not count", .unit = "epochs", .min = 0, .max = 1e6});
  f.field("floor", floor, {.help = "smallest learning rate / peak", .min = 0, .max = 1});
}

void ScheduleOptions::visit(core::Fields& f) {
  f.field("name",
          name,
          {.help = "learning rate over time",
           .choices = {"constant", "step", "multi_step", "cosine", "one_cycle", "plateau"}});
  f.field("warmup_epochs",
          warmup_epochs,
          {.help = "linear rise at the start; one_cycle: of its cosine rise, 0: 30 % of the run",
           .unit = "epochs",
           .min = 0,
           .max = 1e6});
  f.field("warmup_start",
          warmup_start,
          {.help = "learning rate / peak that the linear rise starts from", .min = 0, .max = 1});
  f.field("final_share",
          final_share,
          {.help = "cosine, one_cycle: last learning rate / peak", .min = 0, .max = 1});
  f.field("step_epochs",
          step_epochs,
          {.help = "step: epochs between drops", .unit = "epochs", .min = 1, .max = 1e6});
  f.field("step_factor",
          step_factor,
          {.help = "step, multi_step: factor of a drop", .min = 0, .max = 1});
  f.field("milestones",
          milestones,
          {.help = "multi_step: epochs after which the rate drops",
           .unit = "epochs",
           .min = 1,
           .max = 1e6});
  f.field("cycle_momentum",
          cycle_momentum,
          {.help = "one_cycle: momentum (adam: beta1) falls while the rate rises, and back"});
  f.field("lowest_momentum",
          lowest_momentum,
          {.help = "one_cycle: at the rate's peak", .min = 0, .max = 1});
  f.field("highest_momentum",
          highest_momentum,
          {.help = "one_cycle: at both ends", .min = 0, .max = 1});
  f.group("plateau", plateau, "plateau: when the rate drops");
}

}  // namespace coppice::recipe
