#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "link/transport.h"
#include "link/transport_conformance.h"

namespace coppice::link {
namespace {

using testing::ElementsAre;

class InProcessHarness final : public TransportHarness {
 public:
  explicit InProcessHarness(InProcessFaults faults) : broker_(faults) {}

  std::unique_ptr<Transport> connect(const std::string& client) override {
    return broker_.connect(client);
  }

 private:
  InProcessBroker broker_;
};

TransportCase in_process(std::string name, InProcessFaults faults) {
  return {std::move(name), [faults] {
            return std::make_unique<InProcessHarness>(faults);
          }};
}

INSTANTIATE_TEST_SUITE_P(
    InProcess,
    TransportConformance,
    testing::Values(in_process("faultless", {}),
                    in_process("duplicating", {.duplicate = 0.5, .seed = 1}),
                    in_process("delaying", {.delay = 0.5, .seed = 2}),
                    in_process("faulty", {.duplicate = 0.3, .delay = 0.6, .seed = 3}),
                    in_process("always_faulty", {.duplicate = 1, .delay = 1, .seed = 4})),
    transport_case_name);

using Trace = std::vector<std::string>;

void publish(Transport& transport, const std::string& topic, const std::string& payload) {
  transport.publish(topic, core::as_bytes(payload));
}

Transport::Handler note(Trace& trace) {
  return [&trace](const std::string&, std::span<const std::byte> payload) {
    trace.emplace_back(core::as_text(payload));
    return true;
  };
}

TEST(InProcessBroker, DeliversOnceAndInOrderWithoutFaults) {
  InProcessBroker broker;
  const auto device = broker.connect("device");
  const auto cloud = broker.connect("cloud");
  Trace trace;
  cloud->subscribe("z", note(trace));
  cloud->subscribe("a", note(trace));
  publish(*device, "z", "1");
  publish(*device, "a", "2");
  publish(*device, "z", "3");
  EXPECT_EQ(cloud->poll(), 3);
  EXPECT_THAT(trace, ElementsAre("1", "2", "3"));
  EXPECT_EQ(cloud->poll(), 0);
}

TEST(InProcessBroker, ARefusedMessageComesBackBeforeNewerOnes) {
  InProcessBroker broker;
  const auto client = broker.connect("client");
  Trace trace;
  client->subscribe("t", [&](const std::string&, std::span<const std::byte> payload) {
    trace.emplace_back(core::as_text(payload));
    return trace.size() > 1;
  });
  publish(*client, "t", "1");
  EXPECT_EQ(client->poll(), 1);
  publish(*client, "t", "2");
  EXPECT_EQ(client->poll(), 2);
  EXPECT_THAT(trace, ElementsAre("1", "1", "2"));
}

TEST(InProcessBroker, WhatAHandlerPublishesWaitsForTheNextPoll) {
  InProcessBroker broker;
  const auto client = broker.connect("client");
  client->subscribe("t", [&](const std::string&, std::span<const std::byte>) {
    publish(*client, "t", "again");
    return true;
  });
  publish(*client, "t", "first");
  EXPECT_EQ(client->poll(), 1);
  EXPECT_EQ(client->poll(), 1);
}

TEST(InProcessBroker, OffersTheOthersBeforeItThrowsAHandlersExceptionOn) {
  InProcessBroker broker;
  const auto client = broker.connect("client");
  Trace trace;
  client->subscribe("t", [&](const std::string&, std::span<const std::byte> payload) {
    const std::string text(core::as_text(payload));
    trace.push_back(text);
    if (text == "1" || text == "2") {
      throw std::runtime_error(text);
    }
    return true;
  });
  for (const char* text : {"0", "1", "2", "3"}) {
    publish(*client, "t", text);
  }
  for (int round = 0; round < 2; ++round) {
    try {
      client->poll();
      FAIL() << "the exception was lost";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "1");
    }
  }
  EXPECT_THAT(trace, ElementsAre("0", "1", "2", "3", "1", "2"));
}

TEST(InProcessBroker, DuplicatesAndDelaysTheirShares) {
  InProcessBroker broker({.duplicate = 0.25, .delay = 0.4, .seed = 11});
  const auto device = broker.connect("device");
  const auto cloud = broker.connect("cloud");
  Trace trace;
  cloud->subscribe("t", note(trace));
  constexpr int kMessages = 4000;
  for (int i = 0; i < kMessages; ++i) {
    publish(*device, "t", std::to_string(i));
  }
  const int64_t at_once = cloud->poll();
  const int64_t later = cloud->poll();
  EXPECT_EQ(cloud->poll(), 0);  // put off once, never for ever
  const auto all = static_cast<double>(at_once + later);
  EXPECT_NEAR(all / kMessages, 1.25, 0.03);
  EXPECT_NEAR(static_cast<double>(later) / all, 0.4, 0.03);
  std::map<std::string, int> times;
  for (const std::string& text : trace) {
    ++times[text];
  }
  EXPECT_EQ(times.size(), static_cast<size_t>(kMessages));
  for (const auto& [text, count] : times) {
    EXPECT_LE(count, 2) << text;
  }
}

/// What two clients get, poll by poll.
Trace trace_of(uint64_t seed, bool with_third) {
  InProcessBroker broker({.duplicate = 0.3, .delay = 0.3, .seed = seed});
  const auto third = with_third ? broker.connect("third") : nullptr;
  Trace others;
  if (third) {
    third->subscribe("#", note(others));
  }
  const auto a = broker.connect("a");
  const auto b = broker.connect("b");
  Trace trace;
  a->subscribe("t", note(trace));
  b->subscribe("t", note(trace));
  for (int i = 0; i < 50; ++i) {
    publish(*a, "t", std::to_string(i));
    a->poll();
    trace.emplace_back("|");
    b->poll();
    trace.emplace_back("|");
    if (third) {
      third->poll();
    }
  }
  return trace;
}

TEST(InProcessBroker, TheSameSeedGivesTheSameFaults) {
  EXPECT_EQ(trace_of(5, false), trace_of(5, false));
  EXPECT_NE(trace_of(5, false), trace_of(6, false));
}

TEST(InProcessBroker, AClientsFaultsDoNotDependOnOtherClients) {
  EXPECT_EQ(trace_of(5, false), trace_of(5, true));
}

TEST(InProcessBroker, CountsPayloadBytesByPublisher) {
  InProcessBroker broker({.duplicate = 1, .seed = 1});
  EXPECT_EQ(broker.bytes_published("a"), 0);
  {
    const auto a = broker.connect("a");
    const auto b = broker.connect("b");
    Trace trace;
    b->subscribe("#", note(trace));
    publish(*a, "t", "12345");
    publish(*a, "u", "678");
    publish(*b, "t", "9");
    b->poll();
  }
  const auto again = broker.connect("a");
  publish(*again, "t", "0");
  EXPECT_EQ(broker.bytes_published("a"), 9);  // over connections; duplicates are the network's
  EXPECT_EQ(broker.bytes_published("b"), 1);
}

TEST(InProcessBroker, AMalformedTopicCostsNothing) {
  InProcessBroker broker;
  const auto a = broker.connect("a");
  EXPECT_THROW(publish(*a, "#", "12345"), core::Error);
  EXPECT_EQ(broker.bytes_published("a"), 0);
}

TEST(InProcessBroker, ATransportThatWasTakenOverSaysSo) {
  InProcessBroker broker;
  const auto old = broker.connect("a");
  const auto now = broker.connect("a");
  Trace trace;
  for (const auto& action : std::vector<std::function<void()>>{[&] { old->poll(); },
                                                               [&] { publish(*old, "t", "x"); },
                                                               [&] {
                                                                 old->subscribe("t", note(trace));
                                                               }}) {
    try {
      action();
      ADD_FAILURE() << "the old connection still works";
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::Io);
    }
  }
  EXPECT_EQ(now->poll(), 0);
}

TEST(InProcessBroker, TheEndOfAnOldTransportLeavesTheNewOneItsHandlers) {
  InProcessBroker broker;
  auto old = broker.connect("a");
  const auto now = broker.connect("a");
  Trace trace;
  now->subscribe("t", note(trace));
  old.reset();
  publish(*now, "t", "x");
  now->poll();
  EXPECT_THAT(trace, ElementsAre("x"));
}

TEST(InProcessBroker, AHandlerMayLoseItsSessionToANewerConnection) {
  InProcessBroker broker;
  const auto old = broker.connect("a");
  std::unique_ptr<Transport> now;
  Trace trace;
  old->subscribe("t", [&](const std::string&, std::span<const std::byte>) {
    now = broker.connect("a");
    return false;
  });
  publish(*old, "t", "1");
  publish(*old, "t", "2");
  EXPECT_EQ(old->poll(), 1);
  ASSERT_NE(now, nullptr);
  now->subscribe("t", note(trace));
  EXPECT_EQ(now->poll(), 2);
  EXPECT_THAT(trace, ElementsAre("1", "2"));
}

TEST(InProcessBroker, TransportsMayOutliveIt) {
  auto broker = std::make_unique<InProcessBroker>();
  const auto a = broker->connect("a");
  Trace trace;
  a->subscribe("t", note(trace));
  broker.reset();
  publish(*a, "t", "x");
  EXPECT_EQ(a->poll(), 1);
}

TEST(InProcessBroker, RefusesBadSharesAndNames) {
  EXPECT_THROW(InProcessBroker({.duplicate = 1.5}), core::Error);
  EXPECT_THROW(InProcessBroker({.delay = -0.1}), core::Error);
  InProcessBroker broker;
  EXPECT_THROW(broker.connect(""), core::Error);
}

}  // namespace
}  // namespace coppice::link
