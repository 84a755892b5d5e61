#include "cloud/trigger.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace coppice::cloud {
namespace {

using namespace std::chrono_literals;

constexpr core::Timestamp kNow{std::chrono::days{20000}};

struct TriggerCase {
  const char* what;
  TriggerState state;
  TriggerReason reason;
};

TEST(Trigger, DecidesByTheTable) {
  const TriggerOptions options{.min_new_samples = 300,
                               .drift_min_samples = 100,
                               .drift_min_devices = 2,
                               .cooldown_hours = 6,
                               .every_days = 7};
  const std::vector<TriggerCase> table{
      {"nothing", {0, 0, {}, {}}, TriggerReason::None},
      {"enough samples", {300, 0, {}, {}}, TriggerReason::NewSamples},
      {"one too few", {299, 0, {}, {}}, TriggerReason::None},
      {"drift", {100, 2, {}, {}}, TriggerReason::Drift},
      {"drift on too few devices", {100, 1, {}, {}}, TriggerReason::None},
      {"drift with too few samples", {99, 8, {}, {}}, TriggerReason::None},
      {"drift is named before mere numbers", {300, 2, {}, {}}, TriggerReason::Drift},
      {"within the cooldown", {1000, 8, kNow - 6h + 1ms, {}}, TriggerReason::None},
      {"after the cooldown", {1000, 0, kNow - 6h, {}}, TriggerReason::NewSamples},
      {"a week after the last", {1, 0, kNow - 168h, {}}, TriggerReason::Schedule},
      {"not quite a week", {1, 0, kNow - 168h + 1ms, {}}, TriggerReason::None},
      {"a week after the first release", {1, 0, {}, kNow - 168h}, TriggerReason::Schedule},
      {"the last retraining counts, not the first release",
       {1, 0, kNow - 24h, kNow - 1000h},
       TriggerReason::None},
      {"never without a new sample", {0, 8, kNow - 1000h, kNow - 2000h}, TriggerReason::None},
  };
  for (const TriggerCase& c : table) {
    EXPECT_EQ(to_string(decide_retraining(c.state, options, kNow)), to_string(c.reason)) << c.what;
  }
}

TEST(Trigger, NoScheduleUnlessWanted) {
  EXPECT_EQ(decide_retraining({1, 0, kNow - 100000h, {}}, {}, kNow), TriggerReason::None);
}

}  // namespace
}  // namespace coppice::cloud
