#pragma once

#include <cstdint>

#include "core/fields.h"

namespace coppice::recipe {

/// When a run is saved, besides at its end and when it is interrupted. 0: not by that measure.
struct CheckpointOptions {
  int64_t every_epochs = 1;
  int64_t every_steps = 0;
  double every_minutes = 10;

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
