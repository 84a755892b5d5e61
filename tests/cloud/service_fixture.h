#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/fake_device.h"
#include "cloud/service.h"
#include "core/files.h"

namespace coppice::cloud::testing {

/// A service and eight devices "d0" to "d7". Of a sample with sequence s the truth is s % 4;
/// above 1000 nobody can tell.
class ServiceFixture : public ::testing::Test {
 protected:
  explicit ServiceFixture(link::InProcessFaults faults = {}) : broker_(faults) {
    options_.held_out_share = 0;
    options_.wait_for_disk = false;
    options_.rollout = {.canary_share = 0.25,
                        .canary_hours = 6,
                        .min_feedback = 30,
                        .max_wait_hours = 48,
                        .max_error_increase_points = 5,
                        .significance = 0.05};
    for (int i = 0; i < 8; ++i) {
      const std::string name = "d" + std::to_string(i);
      names_.push_back(name);
      devices_.push_back(std::make_unique<FakeDevice>(broker_, name, keys().public_key));
    }
    start();
  }

  static release::KeyPair keys() { return release::keys_from_seed(core::Bytes(32, std::byte{7})); }

  /// Starts the service; the one before, if any, ends as with a kill.
  void start() {
    service_.reset();
    transport_.reset();
    transport_ = broker_.connect("cloud");
    service_.emplace(
        options_, folder_.path() / "cloud", names_, keys(), *transport_, clock_, labeller_);
  }

  void tick(int rounds = 1) {
    for (int i = 0; i < rounds; ++i) {
      for (const auto& device : devices_) {
        device->tick();
      }
      service_->tick();
    }
  }

  /// An hour in which every device reports: canaries (of `release`) this often wrong, others that.
  void hour(uint64_t release, int64_t canary_wrong, int64_t other_wrong, int64_t seen = 10) {
    clock_.advance(std::chrono::hours(1));
    for (const auto& device : devices_) {
      device->report(seen, device->counter == release ? canary_wrong : other_wrong);
    }
    tick(2);
  }

  static core::Bytes artefact(uint8_t fill) {
    return core::Bytes(200, static_cast<std::byte>(fill));
  }

  /// With release 1 on every device.
  void first_release() {
    ASSERT_EQ(service_->publish(artefact(1), "first", {{"accuracy", 0.9}}), 1U);
    tick(8);
    ASSERT_EQ(running(1), 8);
  }

  int64_t running(uint64_t counter) const {
    return std::count_if(devices_.begin(), devices_.end(), [&](const auto& device) {
      return device->counter == counter;
    });
  }

  std::vector<FakeDevice*> canaries(uint64_t counter) const {
    std::vector<FakeDevice*> result;
    for (const auto& device : devices_) {
      if (service_->devices().at(device->name).target == counter) {
        result.push_back(device.get());
      }
    }
    return result;
  }

  std::string state(uint64_t counter) { return service_->registry().find_release(counter)->state; }

  static std::vector<link::Sample> samples(int64_t from, int64_t to) {
    std::vector<link::Sample> result;
    for (int64_t i = from; i <= to; ++i) {
      link::Sample s;
      s.sequence = i;
      s.payload = core::Bytes(16, std::byte{1});
      s.predicted = 0;
      s.reason = "audit";
      result.push_back(s);
    }
    return result;
  }

  core::TemporaryFolder folder_;
  core::VirtualClock clock_{core::Timestamp{std::chrono::days{20000}}};
  link::InProcessBroker broker_;
  SimulatedLabeller labeller_{
      [](const std::string&, int64_t sequence) { return sequence > 1000 ? -1 : sequence % 4; },
      4,
      0,
      1};
  ServiceOptions options_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<FakeDevice>> devices_;
  std::unique_ptr<link::Transport> transport_;
  std::optional<Service> service_;
};

}  // namespace coppice::cloud::testing
