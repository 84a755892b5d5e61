#pragma once

#include <cstdint>
#include <string_view>

#include "core/fields.h"

namespace coppice::cloud {

/// Two stages: some devices first, then all, unless the first do worse.
struct RolloutOptions {
  double canary_share = 0.25;  ///< of the fleet in the first stage, at least one device
  double canary_hours = 6;     ///< least time in the first stage
  int64_t min_feedback = 30;   ///< inferences with feedback that the canaries must have seen
  double max_wait_hours = 48;  ///< then decided on what there is
  double max_error_increase_points =
      5;                       ///< of the canaries' error above the rest's, unless it may be chance
  double significance = 0.05;  ///< p value (one-sided, two proportions) under which it is no chance

  void visit(core::Fields& f);
};

/// Since the first stage began: of the canaries what they saw with the new release, of the rest
/// all.
struct RolloutEvidence {
  double hours = 0;
  int64_t canary_seen = 0;
  int64_t canary_wrong = 0;
  int64_t control_seen = 0;
  int64_t control_wrong = 0;
  int64_t refusals = 0;   ///< canaries that could not install it
  int64_t installed = 0;  ///< canaries that run it
};

enum class RolloutAction { Wait, Promote, RollBack };

std::string_view to_string(RolloutAction action);

/// The decision. A refused release is rolled back at once; a canary group that does significantly
/// worse as soon as it has `min_feedback`; otherwise it is promoted when its time is over. After
/// `max_wait_hours` it is decided on what there is, and a release that no canary runs by then is
/// rolled back. Without a control group (one device, or a share of 1) nothing can be compared.
RolloutAction decide_rollout(const RolloutEvidence& evidence, const RolloutOptions& options);

}  // namespace coppice::cloud
