#include "cloud/rollout.h"

#include <vector>

#include <gtest/gtest.h>

namespace coppice::cloud {
namespace {

struct RolloutCase {
  const char* what;
  RolloutEvidence evidence;
  RolloutAction action;
};

constexpr RolloutOptions kRolloutOptions{.canary_hours = 6,
                                         .min_feedback = 30,
                                         .max_wait_hours = 48,
                                         .max_error_increase_points = 5,
                                         .significance = 0.05};

RolloutEvidence seen(double hours,
                     int64_t canary_seen,
                     int64_t canary_wrong,
                     int64_t control_seen,
                     int64_t control_wrong) {
  return {hours, canary_seen, canary_wrong, control_seen, control_wrong, 0, 2};
}

TEST(Rollout, DecidesByTheTable) {
  RolloutEvidence refused = seen(0, 0, 0, 0, 0);
  refused.refusals = 1;
  RolloutEvidence refused_by_one = seen(7, 1000, 0, 1000, 500);
  refused_by_one.refusals = 1;
  RolloutEvidence nowhere = seen(47.9, 0, 0, 1000, 100);
  nowhere.installed = 0;
  RolloutEvidence never = nowhere;
  never.hours = 48;
  const std::vector<RolloutCase> table{
      {"just begun", seen(0, 0, 0, 0, 0), RolloutAction::Wait},
      {"a canary refuses it", refused, RolloutAction::RollBack},
      {"however well the others do", refused_by_one, RolloutAction::RollBack},
      {"as good", seen(6, 100, 10, 1000, 100), RolloutAction::Promote},
      {"as good, too early", seen(5.9, 100, 10, 1000, 100), RolloutAction::Wait},
      {"better", seen(6, 100, 1, 1000, 100), RolloutAction::Promote},
      {"much worse, as soon as that is known", seen(1, 30, 15, 100, 10), RolloutAction::RollBack},
      {"much worse, but hardly seen", seen(1, 29, 15, 100, 10), RolloutAction::Wait},
      {"worse, but by less than matters",
       seen(6, 10000, 1400, 10000, 1000),
       RolloutAction::Promote},
      {"worse, but it may be chance", seen(6, 30, 5, 100, 10), RolloutAction::Promote},
      {"everything wrong on both sides", seen(6, 30, 30, 100, 100), RolloutAction::Promote},
      {"nothing to compare with", seen(6, 30, 30, 0, 0), RolloutAction::Promote},
      {"too little feedback", seen(47.9, 29, 0, 100, 10), RolloutAction::Wait},
      {"decided on what there is: good", seen(48, 29, 3, 100, 10), RolloutAction::Promote},
      {"decided on what there is: bad", seen(48, 29, 15, 100, 10), RolloutAction::RollBack},
      {"decided without any feedback", seen(48, 0, 0, 0, 0), RolloutAction::Promote},
      {"no canary runs it yet", nowhere, RolloutAction::Wait},
      {"no canary ever ran it", never, RolloutAction::RollBack},
  };
  for (const RolloutCase& c : table) {
    EXPECT_EQ(to_string(decide_rollout(c.evidence, kRolloutOptions)), to_string(c.action))
        << c.what;
  }
}

TEST(Rollout, SignificanceIsThatOfAOneSidedTest) {
  // 10 of 50 against 5 of 50: z = 1.4003, p = 0.0807 one-sided.
  RolloutOptions options = kRolloutOptions;
  options.significance = 0.0808;
  EXPECT_EQ(decide_rollout(seen(1, 50, 10, 50, 5), options), RolloutAction::RollBack);
  options.significance = 0.0806;
  EXPECT_EQ(decide_rollout(seen(1, 50, 10, 50, 5), options), RolloutAction::Wait);
}

TEST(Rollout, NoFeedbackWanted) {
  RolloutOptions options = kRolloutOptions;
  options.min_feedback = 0;
  EXPECT_EQ(decide_rollout(seen(6, 0, 0, 0, 0), options), RolloutAction::Promote);
}

}  // namespace
}  // namespace coppice::cloud
