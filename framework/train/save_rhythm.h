#pragma once

#include <cstdint>

#include "core/clock.h"
#include "recipe/checkpoint.h"

namespace coppice::train {

/// When a run is due to be saved, by epochs, steps and minutes since the last time.
class SaveRhythm {
 public:
  explicit SaveRhythm(const recipe::CheckpointOptions& options) : options_(options) {}

  /// After a step: whether to save now.
  bool step_done() {
    ++steps_;
    const bool by_steps = options_.every_steps > 0 && steps_ >= options_.every_steps;
    return by_steps || by_time();
  }

  /// After an epoch.
  bool epoch_done() {
    ++epochs_;
    const bool by_epochs = options_.every_epochs > 0 && epochs_ >= options_.every_epochs;
    return by_epochs || by_time();
  }

  /// Whether anything was done since the last time.
  bool unsaved() const { return steps_ > 0 || epochs_ > 0; }

  void saved() {
    steps_ = 0;
    epochs_ = 0;
    since_ = core::Stopwatch();
  }

 private:
  bool by_time() const {
    return options_.every_minutes > 0 && since_.seconds() >= 60 * options_.every_minutes;
  }

  recipe::CheckpointOptions options_;
  int64_t steps_ = 0;
  int64_t epochs_ = 0;
  core::Stopwatch since_;
};

}  // namespace coppice::train
