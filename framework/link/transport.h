#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/files.h"

namespace coppice::link {

/// Publish and subscribe, delivery at least once: a message is delivered again until its handler
/// returns true. Topics are '/'-separated; filters know '+' (one level) and a final '#' as in
/// MQTT 3.1.1.
///
/// A client's session outlives its transport: when the transport is destroyed, the broker keeps the
/// client's filters and what arrives for them; after a new connection under the same name,
/// `subscribe` with the same filter takes up the queue. A message that no session subscribes to is
/// kept for nobody. Not thread-safe. Every implementation passes
/// tests/link/transport_conformance.h.
class Transport {
 public:
  /// Returns whether the message's effect is durable; false (or an exception) asks for redelivery
  /// at a later poll.
  using Handler = std::function<bool(const std::string& topic, std::span<const std::byte> payload)>;

  virtual ~Transport() = default;

  /// To every session with a matching filter, the publisher's own too. May be called from a
  /// handler. Throws Error{InvalidArgument} for a topic that is empty or holds '+', '#' or a zero
  /// byte.
  virtual void publish(const std::string& topic, std::span<const std::byte> payload) = 0;

  /// From now on; the same filter again replaces its handler. A message that matches several
  /// filters of a client is delivered to the handler of each. Throws Error{InvalidArgument} for a
  /// malformed filter or an empty handler.
  virtual void subscribe(const std::string& filter, Handler handler) = 0;

  /// Offers what waits, once each; returns the number of deliveries made. In-process: on the
  /// caller's thread, in the order of publication where nothing is delayed or redelivered; what
  /// handlers publish meanwhile waits for the next poll. An exception of a handler is thrown on,
  /// the first one, after everything has been offered. REQUIRES: no handler destroys the transport.
  virtual int64_t poll() = 0;
};

/// Whether `topic` falls under `filter` (MQTT 3.1.1, section 4.7: wildcards at the first level
/// don't match "$…"). False for a malformed filter or topic.
bool topic_matches(std::string_view filter, std::string_view topic);

/// Whether it may be subscribed to; whether it may be published to.
bool is_valid_filter(std::string_view filter);
bool is_valid_topic(std::string_view topic);

/// "coppice/v1/<fleet>/<device>/<leaf>". A part may be '+' to make a filter. Throws
/// Error{InvalidArgument} for a part that is empty or holds '/', '#', a zero byte, or '+' among
/// other letters.
std::string topic(std::string_view fleet, std::string_view device, std::string_view leaf);

/// Faults for tests and simulations, drawn from a seeded stream per client: the same seed gives the
/// same faults.
struct InProcessFaults {
  double duplicate = 0;  ///< share of messages delivered twice, in [0, 1]
  double delay = 0;      ///< share of deliveries that come one poll late, in [0, 1]
  uint64_t seed = 0;
};

/// A broker within this process; every `connect` is a client of it. Not thread-safe. Transports may
/// outlive it.
class InProcessBroker {
 public:
  /// Throws Error{InvalidArgument} for a share outside [0, 1].
  explicit InProcessBroker(InProcessFaults faults = {});
  ~InProcessBroker();

  /// Takes over the session of that name: a transport that is still connected under it throws
  /// Error{Io} from now on. Throws Error{InvalidArgument} for an empty name.
  std::unique_ptr<Transport> connect(const std::string& client);

  /// Payload bytes that the client has published so far, over all its connections; 0 for an unknown
  /// client.
  int64_t bytes_published(const std::string& client) const;

 private:
  struct State;
  class Client;
  std::shared_ptr<State> state_;
};

}  // namespace coppice::link
