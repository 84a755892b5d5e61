#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "link/transport.h"

namespace coppice::link {

/// A broker under test: how to become a client of it, and how to give it time.
class TransportHarness {
 public:
  virtual ~TransportHarness() = default;
  virtual std::unique_ptr<Transport> connect(const std::string& client) = 0;

  /// Called between polls that brought nothing: an implementation over a network waits here for a
  /// moment.
  virtual void wait() {}
};

/// One implementation, or one way to set it up. `make` starts from an empty broker.
struct TransportCase {
  std::string name;
  std::function<std::unique_ptr<TransportHarness>()> make;
};

inline void PrintTo(const TransportCase& transport, std::ostream* out) {
  *out << transport.name;
}

/// What every Transport promises, whatever faults lie beneath: messages may come late, twice and
/// out of order, but they come until their handler returns true. The tests are in
/// transport_conformance.cpp; an implementation runs them by
///
///     INSTANTIATE_TEST_SUITE_P(Mqtt, TransportConformance, testing::Values(TransportCase{"mqtt",
///     make_mqtt}),
///                              transport_case_name);
class TransportConformance : public testing::TestWithParam<TransportCase> {
 protected:
  struct Received {
    std::string topic;
    std::string payload;
    bool operator==(const Received&) const = default;
    auto operator<=>(const Received&) const = default;
  };

  std::unique_ptr<Transport> connect(const std::string& client) {
    return harness_->connect(client);
  }

  static void publish(Transport& transport, const std::string& topic, const std::string& payload);

  /// A handler that notes what it gets and accepts it.
  static Transport::Handler note(std::vector<Received>& into);

  /// Polls until `done`, false when it never comes to be.
  bool poll_until(Transport& transport, const std::function<bool()>& done);

  /// Polls long enough for anything that is on its way.
  void poll_all(Transport& transport);

  std::unique_ptr<TransportHarness> harness_ = GetParam().make();
};

inline std::string transport_case_name(const testing::TestParamInfo<TransportCase>& info) {
  return info.param.name;
}

}  // namespace coppice::link
