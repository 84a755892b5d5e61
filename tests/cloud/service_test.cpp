#include "cloud/service_fixture.h"
#include "cloud/tiny_dataset.h"
#include "core/expect_error.h"

namespace coppice::cloud {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ServiceTest : public testing::ServiceFixture {
 protected:
  void send(int64_t from, int64_t to) {
    devices_[0]->send("samples", link::SampleBatch{samples(from, to)});
    tick();
  }
};

TEST_F(ServiceTest, StoresAcknowledgesAndLabels) {
  options_.wait_for_disk = true;
  start();
  auto& device = *devices_[3];
  const auto first = device.send("samples", link::SampleBatch{samples(1, 3)});
  const auto second = device.send("samples", link::SampleBatch{samples(4, 4)});
  tick(2);
  EXPECT_THAT(device.acknowledged, UnorderedElementsAre(first, second));
  EXPECT_THAT(devices_[0]->acknowledged, IsEmpty());
  EXPECT_EQ(service_->samples().count(), 4);
  EXPECT_EQ(service_->samples().labelled(false), 4);
  std::vector<std::string> origins;
  const auto dataset = service_->samples().dataset(testing::tiny_schema(), false, {}, &origins);
  EXPECT_THAT(origins, ElementsAre("d3/1", "d3/2", "d3/3", "d3/4"));
  EXPECT_EQ(dataset->label(2), 3);
}

TEST_F(ServiceTest, CountsEachSampleOnceAcrossRepeatsAndARestart) {
  auto& device = *devices_[0];
  device.send_as("d0", "d0/1", "d0", "samples", link::SampleBatch{samples(1, 3)});
  device.send_as("d0", "d0/1", "d0", "samples", link::SampleBatch{samples(1, 3)});
  tick(2);
  EXPECT_THAT(device.acknowledged, ElementsAre("d0/1", "d0/1"));
  EXPECT_EQ(service_->samples().count(), 3);
  EXPECT_EQ(service_->repeated_samples(), 3);
  start();
  device.send_as("d0", "d0/1", "d0", "samples", link::SampleBatch{samples(1, 4)});
  tick(2);
  EXPECT_EQ(service_->samples().count(), 4);
  EXPECT_EQ(service_->repeated_samples(), 3);
}

TEST_F(ServiceTest, MessagesOfUnknownSendersAreDropped) {
  auto& device = *devices_[0];
  const link::SampleBatch batch{samples(1, 3)};
  device.send_as("stranger", "stranger/1", "stranger", "samples", batch);
  device.send_as("d1", "d1/1", "d0", "samples", batch);  // on another's topic
  device.send_as("d0", "d0/1", "d1", "samples", batch);  // the other way round
  device.send_as("d0", "d0/x", "d0", "samples", batch);  // no number
  device.send_as("stranger", "stranger/2", "d0", "status", device.status(5, 5));
  device.send_as("d0", "d0/2", "d0", "status", batch);  // a body on another leaf is fine
  device.send_raw("samples", "\xff no envelope");
  tick(2);
  EXPECT_EQ(service_->samples().count(), 3);
  EXPECT_THAT(device.acknowledged, ElementsAre("d0/2"));
  EXPECT_THAT(service_->devices(), SizeIs(8));
  EXPECT_EQ(service_->devices().at("d0").feedback_seen, 0);
}

TEST_F(ServiceTest, LabelsNoMoreThanTheLabellerCanAndComesBackToTheRest) {
  options_.labels_per_tick = 2;
  start();
  devices_[0]->send("samples", link::SampleBatch{samples(999, 1004)});  // 999, 1000 can be told
  devices_[1]->send("samples", link::SampleBatch{samples(1, 2)});
  tick();
  EXPECT_EQ(service_->samples().labelled(false), 2);
  tick(4);
  EXPECT_EQ(service_->samples().labelled(false), 4)
      << "those that nobody can tell are in nobody's way";
}

TEST_F(ServiceTest, RetrainingIsDueByNumbersAndResetByIt) {
  options_.trigger = {.min_new_samples = 10,
                      .drift_min_samples = 4,
                      .drift_min_devices = 2,
                      .cooldown_hours = 6,
                      .every_days = 0};
  start();
  send(1, 20);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None) << "before the first release";
  first_release();
  EXPECT_EQ(service_->retraining_due(), TriggerReason::NewSamples);
  service_->retraining_started();
  clock_.advance(100h);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None) << "nothing new";
  send(21, 30);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::NewSamples);
  service_->retraining_started();
  send(31, 40);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None) << "cooldown";
  start();
  tick(2);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None) << "a restart ends no cooldown";
  clock_.advance(6h);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::NewSamples);
  service_->publish(artefact(2), "retrain", {});
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None) << "not during a rollout";
}

TEST_F(ServiceTest, RetrainingIsDueByDriftOfSeveralDevicesAndResetByIt) {
  options_.trigger = {.min_new_samples = 100,
                      .drift_min_samples = 4,
                      .drift_min_devices = 2,
                      .cooldown_hours = 0,
                      .every_days = 0};
  start();
  first_release();
  send(1, 4);
  devices_[0]->report(10, 5, true);
  devices_[0]->report(10, 5, true);
  tick();
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None) << "one device alone";
  devices_[5]->report(10, 5, true);
  devices_[5]->report(10, 5, false);
  tick();
  EXPECT_EQ(service_->retraining_due(), TriggerReason::Drift);
  service_->retraining_started();
  EXPECT_FALSE(service_->devices().at("d0").drift);
  send(5, 8);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None);
}

TEST_F(ServiceTest, TheScheduleCountsFromTheFirstReleaseAlsoAfterARestart) {
  options_.trigger = {.min_new_samples = 100,
                      .drift_min_samples = 100,
                      .drift_min_devices = 1,
                      .cooldown_hours = 0,
                      .every_days = 2};
  start();
  first_release();
  send(1, 1);
  clock_.advance(47h);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None);
  start();
  clock_.advance(1h);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::Schedule);
}

TEST_F(ServiceTest, HeldOutSamplesDoNotTriggerRetraining) {
  options_.held_out_share = 0.9;
  options_.trigger.min_new_samples = 50;
  start();
  first_release();
  send(1, 100);
  EXPECT_EQ(service_->samples().labelled(true) + service_->samples().labelled(false), 100);
  EXPECT_EQ(service_->retraining_due(), TriggerReason::None);
}

TEST_F(ServiceTest, JudgesTheArtefactAgainstTheChampionOnHeldOutAndFieldSamples) {
  options_.held_out_share = 0.5;
  options_.gate.judge_latency = false;
  start();
  const auto held_out = testing::tiny_dataset(200);
  const core::Bytes good = edge::testing::good_model();
  const core::Bytes wrong = edge::testing::wrong_model();
  auto verdict = service_->judge(good, *held_out, {});
  EXPECT_TRUE(verdict.passed);
  EXPECT_EQ(verdict.metrics.at("accuracy"), 1);
  EXPECT_FALSE(verdict.metrics.contains("champion_accuracy"));
  EXPECT_GT(verdict.metrics.at("latency_us"), 0);
  EXPECT_FALSE(service_->judge(wrong, *held_out, {}).passed);

  service_->publish(good, "first", {});
  core::Rng rng(3);
  std::vector<link::Sample> field = samples(1, 60);
  for (link::Sample& s : field) {
    s.payload = testing::tiny_payload(s.sequence % 4, rng);
    s.captured_ms = s.sequence <= 30 ? 1000 : 2000;
  }
  devices_[0]->send("samples", link::SampleBatch{field});
  tick();
  verdict = service_->judge(wrong, *held_out, {});
  EXPECT_FALSE(verdict.passed);
  EXPECT_EQ(verdict.metrics.at("champion_accuracy"), 1);
  EXPECT_EQ(verdict.metrics.at("field_champion_accuracy"), 1);
  EXPECT_EQ(verdict.metrics.at("field_accuracy"), 0);
  EXPECT_EQ(verdict.metrics.at("negative_flips"), 1);
  EXPECT_THAT(verdict.reasons, ::testing::Contains(HasSubstr("field samples")));
  EXPECT_TRUE(service_->judge(edge::testing::renamed_model("next"), *held_out, {}).passed);
  verdict = service_->judge(wrong, *held_out, core::from_millis(3000));
  EXPECT_FALSE(verdict.metrics.contains("field_accuracy")) << "none captured since";
}

TEST_F(ServiceTest, AFleetNeedsDevicesWithProperNames) {
  names_ = {};
  EXPECT_ERROR(start(), InvalidArgument, HasSubstr("no devices"));
  names_ = {"a/b"};
  EXPECT_ERROR(start(), InvalidArgument, HasSubstr("a/b"));
}

}  // namespace
}  // namespace coppice::cloud
