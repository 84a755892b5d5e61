#include "loop/fleet.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/service.h"
#include "core/hash.h"
#include "graph/onnx.h"
#include "loop/fake_trainer.h"
#include "loop/import.h"
#include "loop/tiny_world.h"

namespace coppice::loop {
namespace {

using ::testing::ElementsAre;

constexpr core::Timestamp kStart{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

class FleetTest : public ::testing::Test {
 protected:
  FleetTest()
      : options_(world_.loop()),
        data_(import_data(options_.data, {"bottom right"}, world_.folder() / "versions", 1)),
        cloud_(broker_.connect("cloud")),
        labeller_([](const std::string&, int64_t) { return 0; }, kClasses, 0, 1),
        keys_(release::keys_from_seed(core::Bytes(32, std::byte{5}))),
        fleet_(options_,
               data_.field.samples,
               world_.folder() / "devices",
               keys_.public_key,
               broker_,
               clock_),
        service_(service_options(),
                 world_.folder() / "cloud",
                 fleet_.names(),
                 keys_,
                 *cloud_,
                 clock_,
                 labeller_),
        artefact_(graph::to_onnx(fitted_network(*data_.train.samples, 1))) {}

  cloud::ServiceOptions service_options() const {
    cloud::ServiceOptions service = options_.service;
    service.fleet = options_.name;
    return service;
  }

  void install() {
    service_.publish(artefact_, "first", {});
    for (int round = 0; round < 5; ++round) {
      fleet_.talk();
      service_.tick();
    }
  }

  Fleet::Day live_through(int64_t day) {
    for (int64_t tick = 0; tick < options_.field.ticks_per_day; ++tick) {
      clock_.advance(std::chrono::hours(2));
      fleet_.tick(day, tick);
      service_.tick();
    }
    return fleet_.take_day();
  }

  TinyWorld world_;
  LoopOptions options_;
  core::VirtualClock clock_{kStart};
  link::InProcessBroker broker_;
  ImportedData data_;
  std::unique_ptr<link::Transport> cloud_;
  cloud::SimulatedLabeller labeller_;
  release::KeyPair keys_;
  Fleet fleet_;
  cloud::Service service_;
  core::Bytes artefact_;
};

TEST_F(FleetTest, WithoutAReleaseNothingIsInferred) {
  EXPECT_THAT(fleet_.names(), ElementsAre("edge-1", "edge-2"));
  EXPECT_EQ(live_through(1).inferred, 0);
  EXPECT_EQ(fleet_.truth("edge-1", 1), -1);
}

TEST_F(FleetTest, EveryImageOfTheFieldIsInferredOnce) {
  install();
  int64_t inferred = 0;
  for (int64_t day = 1; day <= 4; ++day) {
    const Fleet::Day seen = live_through(day);
    EXPECT_NEAR(static_cast<double>(seen.inferred), 700.0 / 4, 2);
    inferred += seen.inferred;
  }
  EXPECT_EQ(inferred, data_.field.samples->size());
  EXPECT_EQ(fleet_.take_day().inferred, 0) << "taken already";
  int64_t sequences = 0;
  for (const auto& agent : fleet_.agents()) {
    sequences += agent->last_sequence();
  }
  EXPECT_EQ(sequences, inferred);
}

TEST_F(FleetTest, CountsWhatTheReleaseGetsRight) {
  install();
  for (const auto& agent : fleet_.agents()) {
    EXPECT_EQ(agent->artefact_hash(), core::sha256(artefact_));
  }
  const Fleet::Day clean = live_through(1);
  EXPECT_EQ(clean.right, clean.inferred) << "known classes, as trained on";
  live_through(2);
  const Fleet::Day wider = live_through(3);
  int64_t unknown = 0;
  for (const std::string& device : fleet_.names()) {
    const int64_t end = fleet_.agents()[device == "edge-1" ? 0 : 1]->last_sequence();
    for (int64_t sequence = 1; sequence <= end; ++sequence) {
      unknown += fleet_.truth(device, sequence) == 3 ? 1 : 0;
    }
  }
  EXPECT_GT(unknown, 0);
  EXPECT_EQ(wider.right, wider.inferred - unknown);
}

TEST_F(FleetTest, KnowsTheTruthOfWhatEachDeviceSaw) {
  install();
  live_through(1);
  const auto last = fleet_.agents()[1]->last_sequence();
  std::set<int64_t> classes;
  for (int64_t sequence = 1; sequence <= last; ++sequence) {
    classes.insert(fleet_.truth("edge-2", sequence));
  }
  EXPECT_THAT(classes, ElementsAre(0, 1, 2));
  EXPECT_EQ(fleet_.truth("edge-2", last + 1), -1);
  EXPECT_EQ(fleet_.truth("edge-2", 0), -1);
  EXPECT_EQ(fleet_.truth("edge-9", 1), -1);
}

TEST_F(FleetTest, DevicesLearnTheTruthOfTheShareAskedFor) {
  install();
  const auto feedback = [&] {
    int64_t seen = 0;
    for (const auto& [name, view] : service_.devices()) {
      seen += view.feedback_seen;
    }
    return seen;
  };
  options_.field.feedback_share = 0;
  live_through(1);
  EXPECT_EQ(feedback(), 0);
  options_.field.feedback_share = 1;
  const int64_t all = live_through(2).inferred;
  EXPECT_EQ(feedback(), all);
  options_.field.feedback_share = 0.5;
  const int64_t half = live_through(3).inferred / 2;
  EXPECT_NEAR(static_cast<double>(feedback() - all), static_cast<double>(half), 25);
}

}  // namespace
}  // namespace coppice::loop
