#include <gmock/gmock.h>

#include "edge/agent_fixture.h"

namespace coppice::edge {
namespace {

using namespace std::chrono_literals;
using namespace testing;

/// A line that repeats and delays, a cloud that misses messages, a small budget, and a device that
/// is switched off and on.
class FaultyLine : public AgentFixture {
 protected:
  FaultyLine() : AgentFixture({.duplicate = 0.3, .delay = 0.3, .seed = 4}) {
    cloud_.deaf_share = 0.25;
    options_.miner.audit_share = 0.1;
    options_.spool_bytes = 60 * kFeatures;
    options_.daily_upload_bytes = 4000;
    options_.daily_upload_samples = 25;
    options_.batch_samples = 4;
    options_.resend_after_s = 3 * 3600;
  }

  void hour(int images) {
    std::vector<Seen> seen;
    for (int i = 0; i < images; ++i) {
      const int64_t truth = rng_.below(kClasses);
      seen.push_back({.shown = rng_.bernoulli(0.2) ? (truth + 1) % kClasses : truth,
                      .truth = truth,
                      .feedback = rng_.bernoulli(0.7)});
    }
    infer(seen);
    for (const Seen& one : seen) {
      feedback_seen_ += one.feedback ? 1 : 0;
      feedback_wrong_ += one.feedback && one.shown != one.truth ? 1 : 0;
      inferred_ += 1;
    }
    agent_->report_status();
    agent_->tick();
    cloud_.tick();
    clock_.advance(1h);
  }

  void expect_budgets_kept() const {
    for (const auto& [day, spent] : days_) {
      EXPECT_LE(spent.bytes, options_.daily_upload_bytes) << day;
      EXPECT_LE(spent.new_samples, options_.daily_upload_samples) << day;
    }
  }

  /// Every sample that was mined is in the cloud, in the spool, or was evicted and counted.
  void expect_all_accounted_for() const {
    const Spool& spool = agent_->spool();
    int64_t in_both = 0;  // arrived, but the acknowledgement has not
    for (const auto& id : spool.under_way()) {
      for (const auto& sample : spool.contents(id)) {
        in_both += cloud_.samples.contains(sample.sequence) ? 1 : 0;
      }
    }
    EXPECT_EQ(std::ssize(cloud_.samples) + spool.count() + spool.evicted() - in_both,
              agent_->mined());
    for (const auto& [sequence, sample] : cloud_.samples) {
      EXPECT_EQ(sample.payload, shown_.at(sequence));
    }
  }

  int64_t inferred_ = 0;
  int64_t feedback_seen_ = 0;
  int64_t feedback_wrong_ = 0;
};

TEST_F(FaultyLine, NothingIsLostAndNoBudgetIsExceeded) {
  start();
  install(1, good_model());
  for (int i = 0; i < 24 * 8; ++i) {
    hour(6);
    if (i == 24 * 3 + 7) {
      install(2, renamed_model("second"));
    }
  }
  expect_all_accounted_for();
  expect_budgets_kept();
  EXPECT_GT(cloud_.repeated, 0);
  EXPECT_GT(agent_->spool().evicted(), 0) << "the spool is too small, which must show";
  EXPECT_GT(std::ssize(cloud_.samples), 60);
  for (int i = 0; i < 24 * 20 && agent_->spool().count() > 0; ++i) {
    hour(0);
  }
  EXPECT_EQ(agent_->spool().count(), 0);
  expect_all_accounted_for();
  expect_budgets_kept();
  cloud_.tick();
  cloud_.tick();
  EXPECT_EQ(cloud_.total().inferred, inferred_);
  EXPECT_EQ(cloud_.total().feedback_seen, feedback_seen_);
  EXPECT_EQ(cloud_.total().feedback_wrong, feedback_wrong_);
  EXPECT_EQ(cloud_.total().release_counter, 2U);
}

TEST_F(FaultyLine, RestartsInTheMiddleLoseNothingAndRenewNoBudget) {
  options_.spool_bytes = 1 << 20;
  start();
  install(1, good_model());
  for (int i = 0; i < 24 * 6; ++i) {
    hour(6);
    if (i % 7 == 3) {
      const int64_t spooled = agent_->spool().count();
      const int64_t mined = agent_->mined();
      start();
      EXPECT_EQ(agent_->spool().count(), spooled);
      EXPECT_EQ(agent_->mined(), mined);
    }
  }
  expect_all_accounted_for();
  expect_budgets_kept();
  EXPECT_EQ(agent_->spool().evicted(), 0);
  for (int i = 0; i < 24 * 40 && agent_->spool().count() > 0; ++i) {
    hour(0);
  }
  EXPECT_EQ(std::ssize(cloud_.samples), agent_->mined());
  expect_budgets_kept();
}

TEST_F(FaultyLine, TheSameSeedGivesTheSameRun) {
  start();
  install(1, good_model());
  for (int i = 0; i < 24; ++i) {
    hour(6);
  }
  const auto samples = cloud_.samples;
  const int64_t repeated = cloud_.repeated;

  struct Again : FaultyLine {
    void TestBody() override {
      start();
      install(1, good_model());
      for (int i = 0; i < 24; ++i) {
        hour(6);
      }
    }

    using FaultyLine::cloud_;
  };

  Again again;
  again.TestBody();
  EXPECT_EQ(again.cloud_.samples, samples);
  EXPECT_EQ(again.cloud_.repeated, repeated);
}

}  // namespace
}  // namespace coppice::edge
