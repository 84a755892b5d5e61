#pragma once

#include <cstdint>
#include <limits>

#include "recipe/regularise.h"

namespace coppice::train {

/// What early stopping remembers between epochs.
struct EarlyStoppingState {
  double best = std::numeric_limits<double>::infinity();
  int64_t since_best = 0;  ///< epochs

  bool just_improved() const { return since_best == 0; }
};

/// The state after an epoch with this validation loss: it improves by falling more than min_delta
/// below the best. A loss that is no number never improves.
EarlyStoppingState after_epoch(EarlyStoppingState state,
                               double loss,
                               const recipe::EarlyStoppingOptions& options);

/// Whether `patience` epochs in a row brought no improvement.
bool should_stop(const EarlyStoppingState& state, const recipe::EarlyStoppingOptions& options);

}  // namespace coppice::train
