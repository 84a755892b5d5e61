#include "train/early_stopping.h"

namespace coppice::train {

EarlyStoppingState after_epoch(EarlyStoppingState state,
                               double loss,
                               const recipe::EarlyStoppingOptions& options) {
  if (loss < state.best - options.min_delta) {
    return {.best = loss, .since_best = 0};
  }
  ++state.since_best;
  return state;
}

bool should_stop(const EarlyStoppingState& state, const recipe::EarlyStoppingOptions& options) {
  return options.patience > 0 && state.since_best >= options.patience;
}

}  // namespace coppice::train
