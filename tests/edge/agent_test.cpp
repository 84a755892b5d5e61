#include <gmock/gmock.h>

#include "core/expect_error.h"
#include "core/hash.h"
#include "edge/agent_fixture.h"

namespace coppice::edge {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class AgentTest : public AgentFixture {};

TEST_F(AgentTest, InfersOnceAReleaseIsInstalled) {
  start();
  EXPECT_THAT(infer({{.shown = 2, .truth = 2}}), IsEmpty());
  install(1, good_model());
  EXPECT_EQ(agent_->artefact_hash(), core::sha256(good_model()));
  EXPECT_EQ(infer({{.shown = 2, .truth = 2}}).at(0).label, 2);
  EXPECT_THAT(agent_->infer(graph::Tensor(graph::DType::U8, {0, kFeatures}), {}), IsEmpty());
  install(2, wrong_model());
  EXPECT_EQ(infer({{.shown = 2, .truth = 2}}).at(0).label, 3);
  start();
  EXPECT_EQ(agent_->release_counter(), 2U);
  EXPECT_EQ(infer({{.shown = 2, .truth = 2}}).at(0).label, 3);
}

TEST_F(AgentTest, SendsWhatTheModelGotWrong) {
  start();
  install(1, good_model());
  infer({{.shown = 0, .truth = 0},
         {.shown = 1, .truth = 2},
         {.shown = 3, .truth = 1, .feedback = false}});
  EXPECT_EQ(agent_->mined(), 1);
  talk();
  ASSERT_THAT(cloud_.samples, SizeIs(1));
  const link::Sample& sample = cloud_.samples.begin()->second;
  EXPECT_EQ(sample.payload, shown_.at(sample.sequence));
  EXPECT_EQ(sample.predicted, 1);
  EXPECT_EQ(sample.feedback, 2);
  EXPECT_EQ(sample.reason, "misclassified");
  EXPECT_EQ(sample.inclusion_probability, 1);
  EXPECT_EQ(sample.captured_ms, core::to_millis(clock_.now()));
  EXPECT_EQ(sample.model_hash, core::sha256(good_model()));
  EXPECT_GT(sample.confidence, 0.99);
  EXPECT_EQ(agent_->spool().count(), 0) << "the cloud has it";
}

TEST_F(AgentTest, SendsDoubtAndAudits) {
  options_.miner = {.audit_share = 0.3, .misclassified_share = 0, .uncertain_share = 1};
  start();
  install(1, good_model());
  for (int i = 0; i < 300; ++i) {
    infer({{.shown = 1, .feedback = false, .brightness = static_cast<uint8_t>(i < 20 ? 20 : 255)}});
  }
  talk();
  int64_t audits = 0;
  int64_t doubts = 0;
  for (const auto& [sequence, sample] : cloud_.samples) {
    audits += sample.reason == "audit" ? 1 : 0;
    doubts += sample.reason == "uncertain" ? 1 : 0;
    EXPECT_EQ(sample.inclusion_probability, sample.reason == "audit" ? 0.3 : 0.7);
  }
  EXPECT_NEAR(static_cast<double>(audits), 90, 25);
  EXPECT_GT(doubts, 8);
  EXPECT_LE(doubts, 20);
}

TEST_F(AgentTest, ARestartDoesNotDrawTheSameAudits) {
  options_.miner.audit_share = 0.5;
  options_.daily_upload_bytes = 0;
  start();
  install(1, good_model());
  std::vector<std::set<int64_t>> lives;
  int64_t before = 0;
  for (int life = 0; life < 2; ++life) {
    start();
    infer(std::vector<Seen>(64));
    std::set<int64_t> audited;
    for (const auto& sample :
         Spool(folder_.path() / "device" / "spool.db", 1 << 20).best(1000, int64_t{1} << 30)) {
      if (sample.sequence > before) {
        audited.insert(sample.sequence - (agent_->last_sequence() - 63));
      }
    }
    before = agent_->last_sequence();
    lives.push_back(audited);
  }
  EXPECT_THAT(lives[0], Not(IsEmpty()));
  EXPECT_THAT(lives[1], Not(IsEmpty()));
  EXPECT_NE(lives[0], lives[1]);
}

TEST_F(AgentTest, CountsFeedback) {
  start();
  install(1, good_model());
  infer({{.shown = 0, .truth = 0},
         {.shown = 1, .truth = 2},
         {.shown = 3, .truth = 1, .feedback = false}});
  infer({{.shown = 0, .truth = 3}});
  cloud_.statuses.clear();
  agent_->report_status();
  agent_->report_status();
  talk();
  ASSERT_THAT(cloud_.statuses, SizeIs(2));
  const link::Status& status = cloud_.statuses[0];
  EXPECT_EQ(status.release_counter, 1U);
  EXPECT_EQ(status.inferred, 4);
  EXPECT_EQ(status.feedback_seen, 3);
  EXPECT_EQ(status.feedback_wrong, 2);
  EXPECT_GT(status.mean_confidence, 0.99);
  EXPECT_EQ(status.spooled, 2);
  EXPECT_EQ(status.update_error, "");
  EXPECT_EQ(cloud_.statuses[1].inferred, 0) << "since the last report";
  EXPECT_EQ(cloud_.statuses[1].mean_confidence, 0);
}

TEST_F(AgentTest, WhatTheReleaseBeforeCountedIsReportedAsItsOwn) {
  start();
  install(1, good_model());
  infer({{.shown = 0, .truth = 3}});
  cloud_.statuses.clear();
  install(2, renamed_model("second"));
  ASSERT_THAT(cloud_.statuses, SizeIs(2));
  EXPECT_EQ(cloud_.statuses[0].release_counter, 1U);
  EXPECT_EQ(cloud_.statuses[0].feedback_wrong, 1);
  EXPECT_EQ(cloud_.statuses[1].release_counter, 2U);
  EXPECT_EQ(cloud_.statuses[1].inferred, 0);
}

TEST_F(AgentTest, SignalsDriftOnceAndForgetsItWithANewRelease) {
  options_.drift.delta = 0.05;
  options_.drift.threshold = 5;
  options_.drift.min_samples = 20;
  start();
  install(1, good_model());
  const std::vector<Seen> right(100);
  const std::vector<Seen> wrong(30, {.shown = 0, .truth = 1});
  infer(right);
  agent_->report_status();
  talk();
  EXPECT_FALSE(cloud_.total().drift);
  infer(wrong);
  agent_->report_status();
  agent_->report_status();
  talk();
  ASSERT_GE(cloud_.statuses.size(), 2U);
  EXPECT_TRUE(cloud_.statuses.end()[-2].drift);
  EXPECT_FALSE(cloud_.statuses.back().drift);
  install(2, renamed_model("second"));
  cloud_.statuses.clear();
  infer(std::vector<Seen>(15, {.shown = 0, .truth = 1}));
  agent_->report_status();
  talk();
  EXPECT_FALSE(cloud_.total().drift) << "no change since the new release";
}

TEST_F(AgentTest, ATamperedReleaseIsRefusedAndReported) {
  start();
  install(1, good_model());
  cloud_.statuses.clear();
  auto tampered = make_release(2, wrong_model());
  tampered.signature[5] ^= std::byte{1};
  cloud_.offer(tampered);
  talk();
  ASSERT_THAT(cloud_.statuses, SizeIs(1));
  EXPECT_THAT(cloud_.statuses[0].update_error, HasSubstr("signature"));
  EXPECT_EQ(cloud_.statuses[0].refused_counter, 0U);
  EXPECT_EQ(cloud_.statuses[0].release_counter, 1U);
  tampered = make_release(2, wrong_model());
  tampered.artefact[5] ^= std::byte{1};
  cloud_.offer(tampered);
  talk();
  ASSERT_THAT(cloud_.statuses, SizeIs(2));
  EXPECT_THAT(cloud_.statuses[1].update_error, HasSubstr("artefact"));
  EXPECT_EQ(cloud_.statuses[1].refused_counter, 2U);
  EXPECT_EQ(infer({{.shown = 2, .truth = 2}}).at(0).label, 2);
  install(2, wrong_model());
}

TEST_F(AgentTest, ASignedArtefactThatIsNoModelIsRefusedAndReported) {
  start();
  install(1, good_model());
  core::Bytes cut = wrong_model();
  cut.resize(cut.size() / 2);
  uint64_t counter = 1;
  for (const core::Bytes& artefact : {core::Bytes(1000, std::byte{0xff}), cut, nan_model()}) {
    ++counter;
    cloud_.statuses.clear();
    cloud_.offer(make_release(counter, artefact));
    talk();
    ASSERT_THAT(cloud_.statuses, SizeIs(1));
    EXPECT_THAT(cloud_.statuses[0].update_error, Not(IsEmpty()));
    EXPECT_EQ(cloud_.statuses[0].refused_counter, counter);
    EXPECT_EQ(cloud_.statuses[0].release_counter, 1U);
    EXPECT_EQ(infer({{.shown = 2, .truth = 2}}).at(0).label, 2);
  }
}

TEST_F(AgentTest, ADamagedInstallationIsReportedAtTheStart) {
  start();
  install(1, good_model());
  core::write_file(folder_.path() / "device" / "release" / "current" / "model.onnx", "damaged");
  start();
  cloud_.statuses.clear();
  talk();
  ASSERT_THAT(cloud_.statuses, SizeIs(1));
  EXPECT_THAT(cloud_.statuses[0].update_error, HasSubstr("installed release"));
  EXPECT_EQ(cloud_.statuses[0].release_counter, 0U);
  EXPECT_THAT(infer({{.shown = 2}}), IsEmpty());
  install(1, good_model());
}

TEST_F(AgentTest, AnOfferOfWhatIsInstalledIsAnsweredWithAStatus) {
  start();
  install(1, good_model());
  cloud_.statuses.clear();
  cloud_.offer(make_release(1, good_model()));
  talk();
  ASSERT_THAT(cloud_.statuses, SizeIs(1));
  EXPECT_EQ(cloud_.statuses[0].release_counter, 1U);
  EXPECT_EQ(cloud_.statuses[0].update_error, "");
}

TEST_F(AgentTest, AsksForAChunkOnceUntilItIsOverdue) {
  start();
  cloud_.offer(make_release(1, good_model()));
  for (int i = 0; i < 5; ++i) {
    agent_->tick();
  }
  clock_.advance(1min);
  agent_->tick();
  cloud_.tick();
  EXPECT_EQ(cloud_.chunk_requests, 2);
  agent_->tick();
  EXPECT_EQ(agent_->release_counter(), 1U);
}

TEST_F(AgentTest, GoesOnFetchingAfterARestart) {
  core::Bytes large(150000, std::byte{3});  // no model, but fetched whole before that is known
  start();
  cloud_.offer(make_release(1, large));
  talk(2);
  cloud_.tick();
  EXPECT_EQ(cloud_.chunk_requests, 3);
  start();  // before the answer with the third
  cloud_.offer(make_release(1, large));
  talk(4);
  EXPECT_EQ(cloud_.chunk_requests, 4) << "only the third is asked for again";
  EXPECT_EQ(cloud_.statuses.back().refused_counter, 1U);
}

TEST_F(AgentTest, MalformedMessagesAreDropped) {
  start();
  for (const char* leaf : {"ack", "release", "chunk"}) {
    cloud_.publish("d", leaf, "\xff no envelope");
  }
  EXPECT_EQ(transport_->poll(), 3);
  EXPECT_EQ(transport_->poll(), 0);
  install(1, good_model());
}

TEST_F(AgentTest, ACorruptedSpoolIsAnError) {
  start();
  agent_.reset();
  std::filesystem::remove(folder_.path() / "device" / "spool.db-wal");
  core::write_file(folder_.path() / "device" / "spool.db", std::string(5000, 'x'));
  EXPECT_ERROR(start(), Corrupt, HasSubstr("spool.db"));
}

}  // namespace
}  // namespace coppice::edge
