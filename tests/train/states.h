#pragma once

#include <ATen/core/Tensor.h>

#include "train/training_state.h"

namespace coppice::train::testing {

/// A copy that shares no memory with the run.
inline TrainingState copy_of(const TrainingState& state) {
  TrainingState copy = state;
  for (NamedTensors* tensors : {&copy.optimizer.tensors, &copy.best, &copy.average}) {
    for (auto& [name, tensor] : *tensors) {
      tensor = tensor.clone();
    }
  }
  return copy;
}

}  // namespace coppice::train::testing
