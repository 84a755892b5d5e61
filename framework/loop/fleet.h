#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "data/scenario.h"
#include "edge/agent.h"
#include "link/transport.h"
#include "loop/options.h"

namespace coppice::loop {

/// The simulated devices: real agents, each fed its part of the field's stream. Not thread-safe.
class Fleet {
 public:
  Fleet(const LoopOptions& options,
        data::DatasetPtr field,
        const std::filesystem::path& folder,
        const core::Bytes& public_key,
        link::InProcessBroker& broker,
        const core::Clock& clock);

  /// Every device infers its share of this tick of `day` (both from 1 and 0), then talks.
  void tick(int64_t day, int64_t tick);

  /// Lets the agents talk without new images: after the last day, until nothing is under way.
  void talk();

  /// The true class of what a device saw, by the sequence number the agent gave it; -1 when it
  /// never saw it.
  int64_t truth(const std::string& device, int64_t sequence) const;

  struct Day {
    int64_t inferred = 0;
    int64_t right = 0;
  };

  Day take_day();  ///< counts since the last call

  std::vector<std::string> names() const;

  const std::vector<std::unique_ptr<edge::Agent>>& agents() const { return agents_; }

 private:
  struct Device {
    std::string name;
    std::unique_ptr<link::Transport> transport;
    std::vector<int64_t> seen;               ///< true class by sequence - 1
    std::vector<std::vector<int64_t>> days;  ///< indices into the field, by day - 1
  };

  void infer(size_t device, int64_t day, std::span<const int64_t> indices);

  const LoopOptions& options_;
  data::DatasetPtr field_;
  std::vector<data::DatasetPtr> drifted_;  ///< the field as each day shows it
  std::vector<Device> devices_;
  std::vector<std::unique_ptr<edge::Agent>> agents_;
  Day day_;
};

}  // namespace coppice::loop
