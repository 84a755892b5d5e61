#include "recipe/checkpoint.h"

namespace coppice::recipe {

void CheckpointOptions::visit(core::Fields& f) {
  f.field("every_epochs",
          every_epochs,
          {.help = "save after so many epochs; 0: never", .min = 0, .max = 1e6});
  f.field("every_steps",
          every_steps,
          {.help = "save after so many steps; 0: never", .min = 0, .max = 1e9});
  f.field("every_minutes",
          every_minutes,
          {.help = "save after so long; 0: never", .unit = "minutes", .min = 0, .max = 1e6});
}

}  // namespace coppice::recipe
