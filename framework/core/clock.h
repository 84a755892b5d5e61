#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace coppice::core {

using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// Where the time comes from: a service reads the system's, the simulation a virtual one.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

/// Stands still until it is advanced. Not thread-safe while being advanced.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Timestamp start) : now_(start) {}

  Timestamp now() const override { return now_; }

  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  Timestamp now_;
};

/// Seconds since construction, from the steady clock.
class Stopwatch {
 public:
  Stopwatch() : start_(std::chrono::steady_clock::now()) {}

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_;
};

std::string to_iso8601(Timestamp time);  ///< "2026-03-01T12:00:00.000Z"
int64_t to_millis(Timestamp time);
Timestamp from_millis(int64_t millis);

}  // namespace coppice::core
