#include "train/plateau.h"

#include <algorithm>

namespace coppice::train {

PlateauState after_epoch(PlateauState state, double loss, const recipe::PlateauOptions& options) {
  // Infinity times (1 - threshold) is no number when the threshold is 1.
  const bool first = state.best == std::numeric_limits<double>::infinity();
  if (first ? loss < state.best : loss < state.best * (1 - options.threshold)) {
    state.best = loss;
    state.bad_epochs = 0;
  } else {
    ++state.bad_epochs;
  }
  if (state.cooldown_left > 0) {
    --state.cooldown_left;
    state.bad_epochs = 0;
  }
  if (state.bad_epochs > options.patience) {
    state.share = std::max(state.share * options.factor, options.floor);
    state.cooldown_left = options.cooldown;
    state.bad_epochs = 0;
  }
  return state;
}

}  // namespace coppice::train
