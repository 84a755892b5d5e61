// The service with the agents that devices run, over a line that repeats and delays.
#include <cstring>
#include <map>

#include <gtest/gtest.h>

#include "cloud/service.h"
#include "core/hash.h"
#include "edge/agent.h"
#include "edge/tiny_model.h"

namespace coppice::cloud {
namespace {

using namespace edge::testing;

class ServiceWithAgents : public ::testing::Test {
 protected:
  ServiceWithAgents() {
    options_.wait_for_disk = false;
    options_.rollout.canary_hours = 3;
    options_.rollout.min_feedback = 20;
    std::vector<std::string> names;
    for (int i = 0; i < 4; ++i) {
      names.push_back("d" + std::to_string(i));
      lines_.push_back(broker_.connect(names.back()));
      edge::AgentOptions options;
      options.device = names.back();
      options.miner.audit_share = 0.2;
      agents_.push_back(std::make_unique<edge::Agent>(
          options, folder_.path() / names.back(), keys_.public_key, *lines_.back(), clock_));
    }
    service_.emplace(options_, folder_.path() / "cloud", names, keys_, *cloud_, clock_, labeller_);
  }

  void talk(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      for (const auto& agent : agents_) {
        agent->tick();
      }
      service_->tick();
    }
  }

  /// Every device sees ten images, of which one in ten is not what it looks like.
  void hour() {
    clock_.advance(std::chrono::hours(1));
    for (size_t d = 0; d < agents_.size(); ++d) {
      graph::Tensor samples(graph::DType::U8, {10, kFeatures});
      std::vector<int64_t> feedback;
      std::vector<int64_t> truth;
      for (size_t i = 0; i < 10; ++i) {
        const int64_t shown = rng_.below(kClasses);
        const auto bytes = image(shown, 255, rng_);
        std::memcpy(samples.bytes() + i * bytes.size(), bytes.data(), bytes.size());
        truth.push_back(i == 0 ? (shown + 1) % kClasses : shown);
        feedback.push_back(rng_.bernoulli(0.5) ? truth.back() : -1);
      }
      if (agents_[d]->infer(samples, feedback).empty()) {
        continue;
      }
      const int64_t first = agents_[d]->last_sequence() - 9;
      for (size_t i = 0; i < 10; ++i) {
        truth_[{"d" + std::to_string(d), first + static_cast<int64_t>(i)}] = truth[i];
      }
      agents_[d]->report_status();
    }
    talk(4);
  }

  bool all_run(uint64_t counter, const core::Bytes& artefact) const {
    return std::all_of(agents_.begin(), agents_.end(), [&](const auto& agent) {
      return agent->release_counter() == counter &&
             agent->artefact_hash() == core::sha256(artefact);
    });
  }

  core::TemporaryFolder folder_;
  core::VirtualClock clock_{core::Timestamp{std::chrono::days{20000}}};
  link::InProcessBroker broker_{{.duplicate = 0.2, .delay = 0.2, .seed = 6}};
  std::unique_ptr<link::Transport> cloud_ = broker_.connect("cloud");
  release::KeyPair keys_ = release::keys_from_seed(core::Bytes(32, std::byte{7}));
  core::Rng rng_{12};
  std::map<std::pair<std::string, int64_t>, int64_t> truth_;
  SimulatedLabeller labeller_{[this](const std::string& device, int64_t sequence) {
                                return truth_.at({device, sequence});
                              },
                              kClasses,
                              0,
                              1};
  ServiceOptions options_;
  std::vector<std::unique_ptr<link::Transport>> lines_;
  std::vector<std::unique_ptr<edge::Agent>> agents_;
  std::optional<Service> service_;
};

TEST_F(ServiceWithAgents, GoThroughARollbackAndAPromotionAndLoseNothing) {
  service_->publish(good_model(), "first", {});
  talk(10);
  ASSERT_TRUE(all_run(1, good_model()));
  for (int i = 0; i < 6; ++i) {
    hour();
  }
  service_->publish(wrong_model(), "retrain", {});
  for (int i = 0; i < 10 && service_->champion() != 3; ++i) {
    hour();
  }
  EXPECT_EQ(service_->registry().find_release(2)->state, "rolled_back");
  talk(10);
  EXPECT_TRUE(all_run(3, good_model()));
  const core::Bytes next = renamed_model("next");
  service_->publish(next, "retrain", {});
  for (int i = 0; i < 10 && service_->champion() != 4; ++i) {
    hour();
  }
  EXPECT_EQ(service_->registry().find_release(4)->state, "field");
  talk(10);
  EXPECT_TRUE(all_run(4, next));
  int64_t mined = 0;
  for (const auto& agent : agents_) {
    mined += agent->mined();
    EXPECT_EQ(agent->spool().count(), 0);
    EXPECT_EQ(agent->spool().evicted(), 0);
  }
  EXPECT_EQ(service_->samples().count(), mined);
  EXPECT_EQ(service_->samples().labelled(false) + service_->samples().labelled(true), mined);
  EXPECT_GT(service_->repeated_samples(), 0);
}

}  // namespace
}  // namespace coppice::cloud
