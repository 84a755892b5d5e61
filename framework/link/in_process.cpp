#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/rng.h"
#include "link/transport.h"

namespace coppice::link {

namespace {

struct Message {
  std::string topic;
  core::Bytes payload;
};

/// A message on its way to one subscription.
struct Delivery {
  std::string filter;
  std::shared_ptr<const Message> message;
  bool put_off = false;  ///< once already: due at the next poll, whatever the stream of faults says
};

/// What the broker knows of a client, connected or not.
struct Session {
  explicit Session(core::Rng rng) : faults(rng) {}

  core::Rng faults;
  std::map<std::string, Transport::Handler>
      subscriptions;  ///< by filter; empty handler while disconnected
  std::deque<Delivery> waiting;
  uint64_t connection = 0;  ///< of the transport that owns the session now
  int64_t bytes_published = 0;
};

}  // namespace

struct InProcessBroker::State {
  InProcessFaults faults;
  uint64_t connections = 0;
  std::map<std::string, Session> sessions;
};

/// One client's end.
class InProcessBroker::Client final : public Transport {
 public:
  Client(std::shared_ptr<State> state, std::string client)
      : state_(std::move(state)), client_(std::move(client)) {
    const auto [it, added] = state_->sessions.try_emplace(
        client_, core::Rng(state_->faults.seed).split("link faults").split(client_));
    session_ = &it->second;
    connection_ = ++state_->connections;
    session_->connection = connection_;
    drop_handlers();
  }

  ~Client() override {
    if (session_->connection == connection_) {
      drop_handlers();
    }
  }

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void publish(const std::string& topic, std::span<const std::byte> payload) override {
    require_connection();
    if (!is_valid_topic(topic)) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          fmt::format("can't publish to topic '{}': it must not be empty or hold '+' or '#'",
                      topic));
    }
    session_->bytes_published += static_cast<int64_t>(payload.size());
    const auto message =
        std::make_shared<const Message>(Message{topic, {payload.begin(), payload.end()}});
    for (auto& [name, session] : state_->sessions) {
      for (const auto& [filter, handler] : session.subscriptions) {
        if (!topic_matches(filter, topic)) {
          continue;
        }
        session.waiting.push_back({filter, message});
        if (session.faults.bernoulli(state_->faults.duplicate)) {
          session.waiting.push_back({filter, message});
        }
      }
    }
  }

  void subscribe(const std::string& filter, Handler handler) override {
    require_connection();
    if (!is_valid_filter(filter) || !handler) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          fmt::format(
              "can't subscribe to '{}': '+' must be a whole level, '#' the whole last one, and a "
              "handler be given",
              filter));
    }
    session_->subscriptions[filter] = std::move(handler);
  }

  int64_t poll() override {
    require_connection();
    std::deque<Delivery> due = std::exchange(session_->waiting, {});
    std::deque<Delivery> kept;
    std::exception_ptr failure;
    int64_t deliveries = 0;
    for (Delivery& delivery : due) {
      // A copy: the handler may replace itself.
      const Handler handler = session_->subscriptions[delivery.filter];
      const bool mine = session_->connection == connection_;
      if (!handler || !mine) {
        kept.push_back(std::move(delivery));
        continue;
      }
      if (!delivery.put_off && session_->faults.bernoulli(state_->faults.delay)) {
        delivery.put_off = true;
        kept.push_back(std::move(delivery));
        continue;
      }
      ++deliveries;
      bool done = false;
      try {
        done = handler(delivery.message->topic, delivery.message->payload);
      } catch (...) {
        failure = failure ? failure : std::current_exception();
      }
      if (!done) {
        delivery.put_off = false;
        kept.push_back(std::move(delivery));
      }
    }
    auto& waiting = session_->waiting;
    waiting.insert(waiting.begin(),
                   std::make_move_iterator(kept.begin()),
                   std::make_move_iterator(kept.end()));
    if (failure) {
      std::rethrow_exception(failure);
    }
    return deliveries;
  }

 private:
  void require_connection() const {
    if (session_->connection != connection_) {
      throw core::Error(
          core::ErrorKind::Io,
          fmt::format(
              "client '{}' was taken over by a newer connection; use that one, or another name",
              client_));
    }
  }

  /// They may hold references to what ends with the transport.
  void drop_handlers() {
    for (auto& [filter, handler] : session_->subscriptions) {
      handler = nullptr;
    }
  }

  std::shared_ptr<State> state_;
  std::string client_;
  Session* session_;  // of a map in *state_, whose elements stay where they are
  uint64_t connection_;
};

InProcessBroker::InProcessBroker(InProcessFaults faults) : state_(std::make_shared<State>()) {
  const auto is_share = [](double value) {
    return value >= 0 && value <= 1;
  };
  if (!is_share(faults.duplicate) || !is_share(faults.delay)) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("in-process broker: shares of duplicates {} and delays {} must lie in [0, 1]",
                    faults.duplicate,
                    faults.delay));
  }
  state_->faults = faults;
}

InProcessBroker::~InProcessBroker() = default;

std::unique_ptr<Transport> InProcessBroker::connect(const std::string& client) {
  if (client.empty()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        "in-process broker: a client needs a name, under which its messages are kept");
  }
  return std::make_unique<Client>(state_, client);
}

int64_t InProcessBroker::bytes_published(const std::string& client) const {
  const auto it = state_->sessions.find(client);
  return it == state_->sessions.end() ? 0 : it->second.bytes_published;
}

}  // namespace coppice::link
