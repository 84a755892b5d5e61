#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "edge/spool.h"

namespace coppice::edge {

/// What samples may cost on their way to the cloud.
struct ShipOptions {
  int64_t daily_bytes = 0;     ///< encoded messages in a UTC day at most, repeats included
  int64_t daily_samples = 0;   ///< samples first sent in a UTC day at most
  int64_t batch_samples = 1;   ///< in one message at most
  int64_t resend_after_s = 1;  ///< an unacknowledged message is sent again after this
};

/// Sends what the spool holds, the most valuable first, within the day's budget, and again until
/// the cloud has it. The day's spending lies in the spool, so a restart does not renew the budget.
/// Not thread-safe.
class Shipper {
 public:
  using Publish = std::function<void(std::span<const std::byte>)>;  ///< of an encoded envelope

  /// REQUIRES: spool and clock outlive it.
  Shipper(ShipOptions options,
          std::string device,
          Spool& spool,
          const core::Clock& clock,
          Publish publish);

  /// Repeats first, as the cloud may have been waiting for them for long.
  void ship();

  void acknowledge(const std::vector<std::string>& ids);

 private:
  void start_day();
  bool send_again();
  void send_new();
  core::Bytes encode(const std::string& id, const std::vector<link::Sample>& samples) const;
  void spend(int64_t bytes, int64_t samples);
  void publish(const std::string& id, std::span<const std::byte> bytes);

  int64_t bytes_left() const { return options_.daily_bytes - bytes_today_; }

  ShipOptions options_;
  std::string device_;
  Spool& spool_;
  const core::Clock& clock_;
  Publish publish_;
  int64_t day_;
  int64_t bytes_today_;
  int64_t samples_today_;
  std::map<std::string, core::Timestamp> sent_;  ///< when, since the start of the agent
};

/// Whether `after` has passed since `last`; also when the clock has been set back since.
bool is_due(core::Timestamp last, core::Timestamp now, std::chrono::milliseconds after);

}  // namespace coppice::edge
