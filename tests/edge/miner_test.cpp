#include "edge/miner.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/rng.h"

namespace coppice::edge {
namespace {

constexpr MinerOptions kOptions{
    .audit_share = 0.1, .misclassified_share = 0.5, .uncertain_share = 0.2, .uncertain_below = 0.6};

struct Case {
  const char* what;
  Observation seen;
  double audit_draw;
  double hard_draw;
  Reason reason;
  double inclusion;
  double value;
};

TEST(Miner, DecidesByTheTable) {
  const std::vector<Case> table{
      {"an audit, whatever was seen", {1, 0.99, 1}, 0.09, 0.99, Reason::Audit, 0.1, 3},
      {"an audit before any other reason", {1, 0.9, 2}, 0, 0, Reason::Audit, 0.1, 3},
      {"the audit share is not in it", {1, 0.99, 1}, 0.1, 0, Reason::None, 0, 0},
      {"a mistake", {1, 0.9, 2}, 0.5, 0.49, Reason::Misclassified, 0.45, 1.9},
      {"a hesitant mistake", {1, 0.3, 2}, 0.5, 0.49, Reason::Misclassified, 0.45, 1.3},
      {"a mistake not drawn", {1, 0.9, 2}, 0.5, 0.5, Reason::None, 0, 0},
      {"a mistake not drawn is no doubt", {1, 0.3, 2}, 0.5, 0.5, Reason::None, 0, 0},
      {"class 0 is a class", {1, 0.9, 0}, 0.5, 0, Reason::Misclassified, 0.45, 1.9},
      {"doubt", {1, 0.59, -1}, 0.5, 0.19, Reason::Uncertain, 0.18, 0.41},
      {"doubt not drawn", {1, 0.59, -1}, 0.5, 0.2, Reason::None, 0, 0},
      {"sure enough", {1, 0.6, -1}, 0.5, 0, Reason::None, 0, 0},
      {"doubt that feedback has settled", {1, 0.3, 1}, 0.5, 0, Reason::None, 0, 0},
  };
  for (const Case& c : table) {
    const Mined mined = mine(c.seen, kOptions, c.audit_draw, c.hard_draw);
    EXPECT_EQ(to_string(mined.reason), to_string(c.reason)) << c.what;
    EXPECT_NEAR(mined.inclusion_probability, c.inclusion, 1e-12) << c.what;
    EXPECT_NEAR(mined.value, c.value, 1e-12) << c.what;
  }
}

TEST(Miner, SharesOfNothingAndAll) {
  const MinerOptions nothing{0, 0, 0, 1};
  EXPECT_EQ(mine({1, 0.5, -1}, nothing, 0, 0).reason, Reason::None);
  EXPECT_EQ(mine({1, 0.5, 2}, nothing, 0, 0).reason, Reason::None);
  const MinerOptions all{1, 1, 1, 1};
  EXPECT_EQ(mine({1, 0.5, 2}, all, std::nextafter(1.0, 0.0), 0.5).reason, Reason::Audit);
}

/// A field where the model is right in 85 % of cases and doubts exactly where it is likely wrong.
Observation observe(core::Rng& rng, bool& right) {
  Observation seen;
  seen.confidence = rng.uniform(0.2, 1);
  right = rng.bernoulli(seen.confidence < 0.5 ? 0.6 : 1);
  seen.predicted = rng.below(10);
  const int64_t truth = right ? seen.predicted : (seen.predicted + 1) % 10;
  seen.feedback = rng.bernoulli(0.3) ? truth : -1;
  return seen;
}

TEST(Miner, AuditsTellTheAccuracyAndTheOthersDoNot) {
  core::Rng rng(3);
  const MinerOptions options{.audit_share = 0.05};
  constexpr int kInferences = 200000;
  double right_in_all = 0;
  double audits = 0;
  double right_in_audits = 0;
  double mined = 0;
  double right_in_mined = 0;
  double mistakes = 0;
  double estimated_mistakes = 0;
  for (int i = 0; i < kInferences; ++i) {
    bool right = false;
    const Observation seen = observe(rng, right);
    const double audit_draw = rng.uniform();
    const Mined m = mine(seen, options, audit_draw, rng.uniform());
    right_in_all += right ? 1 : 0;
    mined += m.reason != Reason::None ? 1 : 0;
    right_in_mined += m.reason != Reason::None && right ? 1 : 0;
    audits += m.reason == Reason::Audit ? 1 : 0;
    right_in_audits += m.reason == Reason::Audit && right ? 1 : 0;
    mistakes += seen.feedback >= 0 && !right ? 1 : 0;
    estimated_mistakes += m.reason == Reason::Misclassified ? 1 / m.inclusion_probability : 0;
  }
  const double truth = right_in_all / kInferences;
  EXPECT_NEAR(audits / kInferences, 0.05, 0.002);
  EXPECT_NEAR(right_in_audits / audits, truth, 0.015);  // four standard errors
  EXPECT_LT(right_in_mined / mined, truth - 0.15) << "the stream that is sent is biased";
  EXPECT_NEAR(estimated_mistakes / mistakes, 1, 0.01);
}

}  // namespace
}  // namespace coppice::edge
