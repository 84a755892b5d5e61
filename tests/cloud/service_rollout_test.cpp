#include <set>

#include "cloud/service_fixture.h"
#include "core/expect_error.h"

namespace coppice::cloud {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ServiceRollout : public testing::ServiceFixture {};

TEST_F(ServiceRollout, TheFirstReleaseGoesToAll) {
  EXPECT_EQ(service_->champion(), 0U);
  first_release();
  EXPECT_EQ(service_->champion(), 1U);
  EXPECT_FALSE(service_->rollout_under_way());
  EXPECT_EQ(state(1), "field");
  for (const auto& device : devices_) {
    EXPECT_EQ(device->artefact, artefact(1));
    EXPECT_THAT(device->offered, SizeIs(1));
  }
}

TEST_F(ServiceRollout, AGoodReleaseIsPromotedAfterItsTimeOnCanaries) {
  first_release();
  EXPECT_EQ(service_->publish(artefact(2), "retrain", {}), 2U);
  tick(8);
  EXPECT_EQ(running(2), 2);
  EXPECT_EQ(running(1), 6);
  EXPECT_EQ(state(2), "canary");
  for (int i = 0; i < 5; ++i) {
    hour(2, 1, 1);
    EXPECT_TRUE(service_->rollout_under_way());
    EXPECT_EQ(running(2), 2);
  }
  hour(2, 1, 1);
  EXPECT_FALSE(service_->rollout_under_way());
  EXPECT_EQ(service_->champion(), 2U);
  tick(8);
  EXPECT_EQ(running(2), 8);
  EXPECT_EQ(state(1), "replaced");
  EXPECT_EQ(state(2), "field");
  EXPECT_THAT(service_->events(),
              ElementsAre("release 1 to all devices",
                          "release 2 to 2 canaries",
                          "release 2 promoted to all devices"));
}

TEST_F(ServiceRollout, WorseCanariesRollBackUnderAHigherCounter) {
  first_release();
  service_->publish(artefact(2), "retrain", {});
  tick(8);
  const auto canaries_of_2 = canaries(2);
  ASSERT_THAT(canaries_of_2, SizeIs(2));
  hour(2, 5, 1);
  EXPECT_TRUE(service_->rollout_under_way()) << "20 inferences are too few";
  hour(2, 5, 1);
  EXPECT_FALSE(service_->rollout_under_way());
  EXPECT_EQ(service_->champion(), 3U);
  tick(8);
  EXPECT_EQ(running(3), 8);
  for (const auto& device : devices_) {
    EXPECT_EQ(device->artefact, artefact(1)) << "the old content";
  }
  EXPECT_EQ(state(1), "replaced");
  EXPECT_EQ(state(2), "rolled_back");
  EXPECT_EQ(state(3), "field");
  const auto manifest = service_->registry().find_release(3)->manifest;
  EXPECT_EQ(manifest.reason, "rollback");
  EXPECT_EQ(manifest.parent_hash, core::sha256(artefact(2))) << "what it replaces";
  EXPECT_EQ(manifest.metrics.at("accuracy"), 0.9);
  EXPECT_THAT(service_->events().back(), HasSubstr("release 2 rolled back"));
  EXPECT_EQ(service_->publish(artefact(4), "retrain", {}), 4U);
}

TEST_F(ServiceRollout, ARefusalRollsBackAtOnce) {
  first_release();
  for (const auto& device : devices_) {
    device->refuses = true;
  }
  service_->publish(artefact(2), "retrain", {});
  tick();
  EXPECT_EQ(state(2), "rolled_back");
  EXPECT_EQ(service_->champion(), 3U);
  EXPECT_THAT(service_->events().at(2), HasSubstr("refused release 2: no room"));
  for (const auto& device : devices_) {
    device->refuses = false;
  }
  tick(8);
  EXPECT_EQ(running(3), 8);
}

TEST_F(ServiceRollout, ARefusalOfAnotherReleaseIsOnlyNoted) {
  first_release();
  service_->publish(artefact(2), "retrain", {});
  tick(8);
  for (const auto& device : devices_) {
    link::Status status = device->status(0, 0);
    status.update_error = "the signature does not fit";
    status.refused_counter = 0;  // nobody knows what that was
    device->send("status", status);
    status.refused_counter = 1;
    device->send("status", status);
  }
  tick();
  EXPECT_TRUE(service_->rollout_under_way());
  EXPECT_EQ(service_->devices().at("d0").update_error, "the signature does not fit");
  EXPECT_EQ(service_->devices().at(canaries(2).front()->name).refusals, 0);
  EXPECT_THAT(service_->events().back(), HasSubstr("refused an update: the signature"));
}

TEST_F(ServiceRollout, WhatNoCanaryEverRanIsNotPromoted) {
  first_release();
  for (const auto& device : devices_) {
    device->offline = true;
  }
  service_->publish(artefact(2), "retrain", {});
  for (int i = 0; i < 47; ++i) {
    hour(2, 0, 1);
    ASSERT_TRUE(service_->rollout_under_way());
  }
  hour(2, 0, 1);
  EXPECT_EQ(state(2), "rolled_back");
}

TEST_F(ServiceRollout, OffersAgainUntilTheDeviceHasIt) {
  first_release();
  for (const auto& device : devices_) {
    device->offline = true;
  }
  service_->publish(artefact(2), "retrain", {});
  tick(3);
  const auto* canary = canaries(2).front();
  EXPECT_THAT(canary->offered, SizeIs(2));  // release 1, release 2
  clock_.advance(2h);
  tick(3);
  EXPECT_THAT(canary->offered, SizeIs(3));
  for (const auto& device : devices_) {
    device->offline = false;
  }
  clock_.advance(2h);
  tick(8);
  EXPECT_EQ(canary->counter, 2U);
  const auto offers = canary->offered.size();
  clock_.advance(2h);
  tick(3);
  EXPECT_EQ(canary->offered.size(), offers);
}

TEST_F(ServiceRollout, OtherDevicesGoFirstEachTime) {
  first_release();
  std::set<std::string> tried;
  for (uint64_t counter = 2; counter <= 9; ++counter) {
    ASSERT_EQ(service_->publish(artefact(static_cast<uint8_t>(counter)), "retrain", {}), counter);
    const auto now = canaries(counter);
    EXPECT_THAT(now, SizeIs(2));
    for (const auto* device : now) {
      tried.insert(device->name);
    }
    tick(8);
    for (int i = 0; i < 6; ++i) {
      hour(counter, 0, 0);
    }
    ASSERT_EQ(service_->champion(), counter);
  }
  EXPECT_THAT(tried, SizeIs(8));
}

TEST_F(ServiceRollout, OnlyOneAtATime) {
  first_release();
  service_->publish(artefact(2), "retrain", {});
  EXPECT_ERROR(
      service_->publish(artefact(3), "retrain", {}), Refused, HasSubstr("release 2 is still"));
  EXPECT_EQ(service_->registry().next_counter(), 3U);
}

TEST_F(ServiceRollout, RepeatedAndLateReportsAreCountedOnceAndWhereTheyBelong) {
  first_release();
  service_->publish(artefact(2), "retrain", {});
  auto* canary = canaries(2).front();
  const link::Status before = canary->status(20, 20);  // with release 1, arrives last
  const std::string late_id = canary->name + "/" + std::to_string(++canary->messages);
  tick(8);
  ASSERT_EQ(canary->counter, 2U);
  canary->send_as(canary->name, late_id, canary->name, "status", before);
  tick();
  EXPECT_EQ(service_->devices().at(canary->name).counter, 2U) << "late news are old news";
  const std::string id = canary->name + "/" + std::to_string(++canary->messages);
  for (int i = 0; i < 3; ++i) {
    canary->send_as(canary->name, id, canary->name, "status", canary->status(15, 15));
  }
  devices_[0]->report(1000, 0);
  for (const auto& device : devices_) {
    if (device->counter == 1) {
      device->report(1000, 0);
    }
  }
  tick();
  EXPECT_EQ(service_->devices().at(canary->name).feedback_seen, 35);
  EXPECT_EQ(service_->devices().at(canary->name).feedback_wrong, 35);
  EXPECT_TRUE(service_->rollout_under_way()) << "15 of the canaries are not the 30 that are wanted";
  canary->report(15, 15);
  tick();
  EXPECT_EQ(state(2), "rolled_back");
}

TEST_F(ServiceRollout, GoesOnAfterARestart) {
  first_release();
  service_->publish(artefact(2), "retrain", {});
  tick(8);
  hour(2, 1, 1);
  start();
  EXPECT_EQ(service_->champion(), 1U);
  EXPECT_TRUE(service_->rollout_under_way());
  EXPECT_THAT(canaries(2), SizeIs(2));
  for (const auto* device : canaries(2)) {
    EXPECT_EQ(device->counter, 2U) << "the same canaries";
  }
  tick(3);
  for (int i = 0; i < 4; ++i) {
    hour(2, 1, 1);
    EXPECT_TRUE(service_->rollout_under_way());
  }
  hour(2, 1, 1);
  EXPECT_EQ(service_->champion(), 2U) << "six hours in all";
  start();
  EXPECT_EQ(service_->champion(), 2U);
  EXPECT_FALSE(service_->rollout_under_way());
  tick(8);
  EXPECT_EQ(running(2), 8);
}

TEST_F(ServiceRollout, ARestartInTheMiddleOfAPromotionOrRollbackKeepsAChampion) {
  first_release();
  service_->publish(artefact(2), "retrain", {});
  tick(8);
  service_->registry().set_release_state(2, "field");  // and no further
  start();
  EXPECT_EQ(service_->champion(), 2U);
  EXPECT_FALSE(service_->rollout_under_way());
  tick(8);
  EXPECT_EQ(running(2), 8);
}

TEST_F(ServiceRollout, NoMessageIdIsUsedTwice) {
  first_release();
  start();
  service_->publish(artefact(2), "retrain", {});
  tick(8);
  start();
  tick(8);
  std::set<std::string> ids;
  for (const auto& device : devices_) {
    for (const std::string& id : device->cloud_ids) {
      EXPECT_TRUE(ids.insert(id).second) << id;
    }
  }
}

TEST_F(ServiceRollout, DevicesGetTheirReleaseAndNothingElse) {
  first_release();
  const std::string secret = service_->registry().put_object(core::Bytes(500, std::byte{9}));
  service_->publish(artefact(2), "retrain", {});
  tick(8);
  auto& device = *devices_[0];
  const bool is_canary = device.counter == 2;
  device.chunks.clear();
  const std::string own = core::sha256(artefact(is_canary ? 2 : 1));
  const std::string other = core::sha256(artefact(is_canary ? 1 : 2));
  for (const link::ChunkRequest& request : {link::ChunkRequest{secret, 0, 100},
                                            link::ChunkRequest{other, 0, 100},
                                            link::ChunkRequest{core::sha256("?"), 0, 100},
                                            link::ChunkRequest{"../../registry.db", 0, 100},
                                            link::ChunkRequest{own, 200, 100},
                                            link::ChunkRequest{own, 0, 0}}) {
    device.send("chunk_request", request);
  }
  tick(2);
  EXPECT_THAT(device.chunks, IsEmpty());
  device.send("chunk_request", link::ChunkRequest{own, 150, int64_t{1} << 60});
  tick(2);
  ASSERT_THAT(device.chunks, SizeIs(1));
  EXPECT_EQ(device.chunks[0].data.size(), 50U);
  EXPECT_EQ(device.chunks[0].total, 200);
}

TEST_F(ServiceRollout, LargeArtefactsAreSentInPieces) {
  service_->publish(core::Bytes((3 << 20) + 5), "first", {});
  devices_[0]->offline = true;
  tick();
  devices_[0]->send(
      "chunk_request",
      link::ChunkRequest{
          service_->registry().find_release(1)->manifest.artefact_hash, 10, int64_t{1} << 60});
  service_->tick();
  devices_[0]->tick();
  ASSERT_THAT(devices_[0]->chunks, SizeIs(1));
  EXPECT_EQ(devices_[0]->chunks[0].data.size(), size_t{1} << 20);
}

TEST_F(ServiceRollout, ReleasesExpireWhenWanted) {
  options_.release_days = 2;
  start();
  service_->publish(artefact(1), "first", {});
  const auto manifest = service_->registry().find_release(1)->manifest;
  EXPECT_EQ(manifest.expires_ms - manifest.created_ms, 2 * 86400 * 1000);
}

class ServiceRolloutOverAFaultyLine : public testing::ServiceFixture {
 protected:
  ServiceRolloutOverAFaultyLine() : ServiceFixture({.duplicate = 0.3, .delay = 0.3, .seed = 2}) {}
};

TEST_F(ServiceRolloutOverAFaultyLine, GoodReleasesArePromotedAndBadOnesRolledBack) {
  service_->publish(artefact(1), "first", {});
  tick(30);
  ASSERT_EQ(running(1), 8);
  service_->publish(artefact(2), "retrain", {});
  tick(30);
  for (int i = 0; i < 8; ++i) {
    hour(2, 1, 1);
  }
  EXPECT_EQ(service_->champion(), 2U);
  tick(30);
  EXPECT_EQ(running(2), 8);
  service_->publish(artefact(3), "retrain", {});
  tick(30);
  for (int i = 0; i < 8; ++i) {
    hour(3, 6, 1);
  }
  EXPECT_EQ(service_->champion(), 4U);
  tick(30);
  EXPECT_EQ(running(4), 8);
  int64_t reported = 0;
  for (const auto& [name, view] : service_->devices()) {
    reported += view.feedback_seen;
  }
  EXPECT_EQ(reported, 16 * 8 * 10) << "each report once";
}

}  // namespace
}  // namespace coppice::cloud
