#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::recipe {

/// "plateau": the rate falls when the watched loss (validation, else training) stops falling.
struct PlateauOptions {
  int64_t patience = 10;    ///< epochs without improvement that are forgiven
  double factor = 0.1;      ///< multiplied in when patience ends
  double threshold = 1e-4;  ///< what counts as improvement, as a share of the best loss
  int64_t cooldown = 0;     ///< epochs after a drop that are not counted
  double floor = 0;         ///< smallest learning rate as a share of the peak

  void visit(core::Fields& f);
};

struct ScheduleOptions {
  std::string name = "cosine";  ///< constant, step, multi_step, cosine, one_cycle, plateau
  double warmup_epochs = 0;     ///< linear from warmup_start; one_cycle: its rise
  double warmup_start = 0;      ///< share of the peak at the very beginning
  double final_share = 0.01;    ///< cosine, one_cycle: last learning rate as a share of the peak
  int64_t step_epochs = 10;     ///< step: epochs between drops
  double step_factor = 0.1;     ///< step, multi_step: multiplied in at every drop
  std::vector<int64_t> milestones =
      {};                          ///< multi_step: epochs after which the rate drops, ascending
  bool cycle_momentum = false;     ///< one_cycle: momentum (beta1) falls while the rate rises
  double lowest_momentum = 0.85;   ///< one_cycle: at the peak of the rate
  double highest_momentum = 0.95;  ///< one_cycle: at both ends
  PlateauOptions plateau = {};

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
