#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/files.h"
#include "edge/agent.h"
#include "edge/fake_cloud.h"
#include "edge/tiny_model.h"

namespace coppice::edge::testing {

/// One device "d" and its cloud.
class AgentFixture : public ::testing::Test {
 protected:
  explicit AgentFixture(link::InProcessFaults faults = {}) : broker_(faults), cloud_(broker_) {
    options_.device = "d";
    options_.miner = {.audit_share = 0, .misclassified_share = 1, .uncertain_share = 0};
  }

  static release::KeyPair keys() { return release::keys_from_seed(core::Bytes(32, std::byte{7})); }

  static release::Release make_release(uint64_t counter, core::Bytes artefact) {
    release::Manifest m;
    m.name = "model";
    m.counter = counter;
    m.reason = "test";
    return release::sign(m, std::move(artefact), keys());
  }

  /// Starts the agent; the one before, if any, ends as with a kill: nobody tells it.
  void start() {
    agent_.reset();
    transport_.reset();
    transport_ = std::make_unique<Meter>(broker_.connect("d"), clock_, days_, ids_);
    agent_.emplace(options_, folder_.path() / "device", keys().public_key, *transport_, clock_);
  }

  void talk(int rounds = 4) {
    for (int i = 0; i < rounds; ++i) {
      agent_->tick();
      cloud_.tick();
    }
    agent_->tick();
  }

  void install(uint64_t counter, const core::Bytes& artefact) {
    cloud_.offer(make_release(counter, artefact));
    talk(8);
    ASSERT_EQ(agent_->release_counter(), counter);
  }

  struct Seen {
    int64_t shown = 0;
    int64_t truth = 0;
    bool feedback = true;
    uint8_t brightness = 255;
  };

  std::vector<Prediction> infer(const std::vector<Seen>& seen) {
    const auto count = std::ssize(seen);
    graph::Tensor samples(graph::DType::U8, {count, kFeatures});
    std::vector<int64_t> feedback;
    std::vector<core::Bytes> payloads;
    for (size_t i = 0; i < seen.size(); ++i) {
      const auto bytes = image(seen[i].shown, seen[i].brightness, rng_);
      std::memcpy(samples.bytes() + i * bytes.size(), bytes.data(), bytes.size());
      const auto as_bytes = std::as_bytes(std::span(bytes));
      payloads.emplace_back(as_bytes.begin(), as_bytes.end());
      feedback.push_back(seen[i].feedback ? seen[i].truth : -1);
    }
    auto predictions = agent_->infer(samples, feedback);
    if (!predictions.empty()) {
      const int64_t first = agent_->last_sequence() - count + 1;
      for (size_t i = 0; i < seen.size(); ++i) {
        EXPECT_TRUE(shown_.emplace(first + static_cast<int64_t>(i), std::move(payloads[i])).second)
            << "a sequence number came again";
      }
    }
    return predictions;
  }

  core::TemporaryFolder folder_;
  core::VirtualClock clock_{core::Timestamp{std::chrono::days{20000}}};
  link::InProcessBroker broker_;
  FakeCloud cloud_;
  AgentOptions options_;
  core::Rng rng_{11};
  std::map<int64_t, core::Bytes> shown_;  ///< what the device saw, by sequence
  std::map<int64_t, Meter::Day> days_;
  std::set<std::string> ids_;
  std::unique_ptr<link::Transport> transport_;
  std::optional<Agent> agent_;
};

}  // namespace coppice::edge::testing
