#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "core/clock.h"

namespace coppice::jobs {

/// Named leases in a SQLite file: at most one holder at a time, and what a dead holder held becomes
/// free when its lease runs out. Safe between processes; one object belongs to one thread.
class Leases {
 public:
  Leases(const std::filesystem::path& database, const core::Clock& clock);
  ~Leases();

  /// True when `holder` now holds it (again).
  bool acquire(const std::string& name,
               const std::string& holder,
               std::chrono::milliseconds duration);
  void release(const std::string& name, const std::string& holder);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::jobs
