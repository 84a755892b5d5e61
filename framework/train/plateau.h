#pragma once

#include <cstdint>
#include <limits>

#include "recipe/schedule.h"

namespace coppice::train {

/// What a plateau schedule remembers between epochs.
struct PlateauState {
  double share = 1;  ///< of the peak learning rate
  double best = std::numeric_limits<double>::infinity();
  int64_t bad_epochs = 0;     ///< since the best, or since the last drop
  int64_t cooldown_left = 0;  ///< epochs
};

/// The state after an epoch with this loss: a drop when more than `patience` epochs in a row were
/// not better than the best by `threshold`, as torch.optim.lr_scheduler.ReduceLROnPlateau decides.
/// A loss that is no number never improves.
PlateauState after_epoch(PlateauState state, double loss, const recipe::PlateauOptions& options);

}  // namespace coppice::train
