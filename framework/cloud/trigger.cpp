#include "cloud/trigger.h"

#include <array>

namespace coppice::cloud {

void TriggerOptions::visit(core::Fields& f) {
  f.field("min_new_samples",
          min_new_samples,
          {.help = "labelled samples since the last retraining that trigger the next",
           .min = 1,
           .max = 1e9});
  f.field("drift_min_samples",
          drift_min_samples,
          {.help = "labelled samples that suffice once drift is signalled", .min = 1, .max = 1e9});
  f.field("drift_min_devices",
          drift_min_devices,
          {.help = "devices that must signal drift", .min = 1, .max = 1e9});
  f.field("cooldown_hours",
          cooldown_hours,
          {.help = "least time between retrainings", .unit = "h", .min = 0, .max = 1e6});
  f.field("every_days",
          every_days,
          {.help = "retrain on a schedule too; 0: never", .unit = "days", .min = 0, .max = 1e6});
}

std::string_view to_string(TriggerReason reason) {
  constexpr std::array<std::string_view, 4> kNames{"none", "new_samples", "drift", "schedule"};
  return kNames.at(static_cast<size_t>(reason));
}

TriggerReason decide_retraining(const TriggerState& state,
                                const TriggerOptions& options,
                                core::Timestamp now) {
  using Hours = std::chrono::duration<double, std::ratio<3600>>;
  const auto hours_since = [&](core::Timestamp then) {
    return Hours(now - then).count();
  };
  if (state.new_labelled == 0 ||
      (state.last_retraining && hours_since(*state.last_retraining) < options.cooldown_hours)) {
    return TriggerReason::None;
  }
  if (state.drifting_devices >= options.drift_min_devices &&
      state.new_labelled >= options.drift_min_samples) {
    return TriggerReason::Drift;
  }
  if (state.new_labelled >= options.min_new_samples) {
    return TriggerReason::NewSamples;
  }
  const auto begin = state.last_retraining ? state.last_retraining : state.first_release;
  if (options.every_days > 0 && begin && hours_since(*begin) >= 24 * options.every_days) {
    return TriggerReason::Schedule;
  }
  return TriggerReason::None;
}

}  // namespace coppice::cloud
