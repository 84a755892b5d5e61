#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/clock.h"

namespace coppice::sweep {

/// Renews the lease of one trial three times per lease, from a thread of its own, until it is
/// destroyed: a worker that waits for a long trial keeps it, one that dies loses it. Made by
/// Study::keep.
class Heartbeat {
 public:
  /// `clock` outlives it and may be read from another thread.
  Heartbeat(const std::filesystem::path& database,
            int64_t number,
            const std::string& worker,
            const core::Clock& clock,
            std::chrono::milliseconds lease);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// The trial has ended or another worker holds it: to go on with it is useless.
  bool lost() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::sweep
