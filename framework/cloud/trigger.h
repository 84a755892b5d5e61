#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.h"
#include "core/fields.h"

namespace coppice::cloud {

/// When to retrain.
struct TriggerOptions {
  int64_t min_new_samples = 300;    ///< labelled since the last retraining, enough by themselves
  int64_t drift_min_samples = 100;  ///< enough once drift is signalled
  int64_t drift_min_devices = 2;    ///< devices that must signal drift
  double cooldown_hours = 6;        ///< between retrainings
  double every_days = 0;            ///< also on a schedule; 0: never

  void visit(core::Fields& f);
};

struct TriggerState {
  int64_t new_labelled = 0;      ///< training samples labelled since the last retraining
  int64_t drifting_devices = 0;  ///< that signalled drift since then
  std::optional<core::Timestamp> last_retraining;
  std::optional<core::Timestamp> first_release;  ///< the schedule counts from it at first
};

enum class TriggerReason { None, NewSamples, Drift, Schedule };

std::string_view to_string(TriggerReason reason);

/// The decision. Never within the cooldown, and never without a new sample.
TriggerReason decide_retraining(const TriggerState& state,
                                const TriggerOptions& options,
                                core::Timestamp now);

}  // namespace coppice::cloud
