#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/files.h"

namespace coppice::link {

/// Publish and subscribe, delivery at least once: a message is delivered again until its handler returns true.
/// Topics are '/'-separated; filters know '+' (one level) and a final '#' as in MQTT 3.1.1.
class Transport {
 public:
  /// Returns whether the message's effect is durable; false (or an exception) asks for redelivery.
  using Handler = std::function<bool(const std::string& topic, std::span<const std::byte> payload)>;

  virtual ~Transport() = default;
  virtual void publish(const std::string& topic, std::span<const std::byte> payload) = 0;
  virtual void subscribe(const std::string& filter, Handler handler) = 0;
  /// Delivers what waits; returns the number of deliveries made. In-process: on the caller's thread.
  virtual int64_t poll() = 0;
};

/// Faults for tests and simulations, drawn from a seeded stream: the same seed gives the same faults.
struct InProcessFaults {
  double duplicate = 0;     ///< share of messages delivered twice
  double delay = 0;         ///< share of deliveries put off to a later poll
  uint64_t seed = 0;
};

/// A broker within this process; every `connect` is a client of it. Not thread-safe.
class InProcessBroker {
 public:
  explicit InProcessBroker(InProcessFaults faults = {});
  ~InProcessBroker();
  std::unique_ptr<Transport> connect(const std::string& client);
  int64_t bytes_published(const std::string& client) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

bool topic_matches(std::string_view filter, std::string_view topic);

/// "coppice/v1/<fleet>/<device>/<leaf>".
std::string topic(std::string_view fleet, std::string_view device, std::string_view leaf);

}  // namespace coppice::link
