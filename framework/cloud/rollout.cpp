#include "cloud/rollout.h"

#include <array>
#include <cmath>

namespace coppice::cloud {

namespace {

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

/// One-sided p value that the canaries' error is not above the rest's (pooled two-proportion z
/// test).
double p_value_of_increase(const RolloutEvidence& e) {
  const double pooled = share(e.canary_wrong + e.control_wrong, e.canary_seen + e.control_seen);
  const double variance =
      pooled * (1 - pooled) *
      (1 / static_cast<double>(e.canary_seen) + 1 / static_cast<double>(e.control_seen));
  if (variance <= 0) {
    return 1;
  }
  const double z = (share(e.canary_wrong, e.canary_seen) - share(e.control_wrong, e.control_seen)) /
                   std::sqrt(variance);
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}

}  // namespace

void RolloutOptions::visit(core::Fields& f) {
  f.field("canary_share",
          canary_share,
          {.help = "share of the fleet that gets a release first", .min = 0, .max = 1});
  f.field("canary_hours",
          canary_hours,
          {.help = "least time of the first stage", .unit = "h", .min = 0, .max = 1e6});
  f.field(
      "min_feedback",
      min_feedback,
      {.help = "inferences with feedback that the canaries must have seen", .min = 0, .max = 1e9});
  f.field("max_wait_hours",
          max_wait_hours,
          {.help = "then the first stage is decided on what there is",
           .unit = "h",
           .min = 0,
           .max = 1e6});
  f.field("max_error_increase_points",
          max_error_increase_points,
          {.help = "canaries' error above the rest's that rolls back, where it is no chance",
           .unit = "points",
           .min = 0,
           .max = 100});
  f.field(
      "significance",
      significance,
      {.help = "p value of a two-proportion test under which it is no chance", .min = 0, .max = 1});
}

std::string_view to_string(RolloutAction action) {
  constexpr std::array<std::string_view, 3> kNames{"wait", "promote", "roll_back"};
  return kNames.at(static_cast<size_t>(action));
}

RolloutAction decide_rollout(const RolloutEvidence& evidence, const RolloutOptions& options) {
  if (evidence.refusals > 0) {
    return RolloutAction::RollBack;
  }
  const bool last_call = evidence.hours >= options.max_wait_hours;
  if (evidence.installed == 0) {
    return last_call ? RolloutAction::RollBack : RolloutAction::Wait;
  }
  const bool enough = evidence.canary_seen >= options.min_feedback;
  if ((enough || last_call) && evidence.canary_seen > 0 && evidence.control_seen > 0) {
    const double increase = 100 * (share(evidence.canary_wrong, evidence.canary_seen) -
                                   share(evidence.control_wrong, evidence.control_seen));
    if (increase > options.max_error_increase_points &&
        p_value_of_increase(evidence) < options.significance) {
      return RolloutAction::RollBack;
    }
  }
  const bool over = enough && evidence.hours >= options.canary_hours;
  return over || last_call ? RolloutAction::Promote : RolloutAction::Wait;
}

}  // namespace coppice::cloud
