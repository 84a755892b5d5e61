#include "link/transport_conformance.h"

#include <set>
#include <stdexcept>

#include <gmock/gmock.h>

#include "core/error.h"

namespace coppice::link {

using testing::Contains;
using testing::Each;
using testing::IsEmpty;

void TransportConformance::publish(Transport& transport,
                                   const std::string& topic,
                                   const std::string& payload) {
  transport.publish(topic, core::as_bytes(payload));
}

Transport::Handler TransportConformance::note(std::vector<Received>& into) {
  return [&into](const std::string& topic, std::span<const std::byte> payload) {
    into.push_back({topic, std::string(core::as_text(payload))});
    return true;
  };
}

bool TransportConformance::poll_until(Transport& transport, const std::function<bool()>& done) {
  for (int attempt = 0; attempt < 200 && !done(); ++attempt) {
    if (transport.poll() == 0) {
      harness_->wait();
    }
  }
  return done();
}

void TransportConformance::poll_all(Transport& transport) {
  for (int quiet = 0; quiet < 5;) {
    quiet = transport.poll() == 0 ? quiet + 1 : 0;
    harness_->wait();
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TransportConformance);

TEST_P(TransportConformance, DeliversTopicAndPayload) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> got;
  cloud->subscribe("coppice/v1/+/+/samples", note(got));
  const std::string payload("zero \0 inside", 13);
  publish(*device, "coppice/v1/fleet/device/samples", payload);
  EXPECT_TRUE(poll_until(*cloud, [&] { return !got.empty(); }));
  poll_all(*cloud);
  EXPECT_THAT(got, Each(Received{"coppice/v1/fleet/device/samples", payload}));
}

TEST_P(TransportConformance, DeliversEmptyAndLargePayloads) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> got;
  cloud->subscribe("t", note(got));
  const std::string large(1 << 20, 'x');
  publish(*device, "t", "");
  publish(*device, "t", large);
  EXPECT_TRUE(poll_until(*cloud, [&] { return std::set(got.begin(), got.end()).size() == 2; }));
  EXPECT_THAT(got, Contains(Received{"t", ""}));
  EXPECT_THAT(got, Contains(Received{"t", large}));
}

TEST_P(TransportConformance, DeliversOnlyWhatTheFilterNames) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> got;
  cloud->subscribe("a/+/c", note(got));
  for (const char* topic : {"a/b", "a/b/d", "a/b/c/d", "b/b/c"}) {
    publish(*device, topic, topic);
  }
  poll_all(*cloud);
  EXPECT_THAT(got, IsEmpty());
  publish(*device, "a/x/c", "yes");
  EXPECT_TRUE(poll_until(*cloud, [&] { return !got.empty(); }));
  EXPECT_THAT(got, Each(Received{"a/x/c", "yes"}));
}

TEST_P(TransportConformance, DeliversToEverySubscriber) {
  const auto cloud = connect("cloud");
  std::vector<std::unique_ptr<Transport>> devices;
  std::vector<std::vector<Received>> got(5);
  for (size_t i = 0; i < got.size(); ++i) {
    devices.push_back(connect("device-" + std::to_string(i)));
    devices[i]->subscribe("release/#", note(got[i]));
  }
  publish(*cloud, "release/7", "offer");
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(poll_until(*devices[i], [&] { return !got[i].empty(); })) << i;
  }
}

TEST_P(TransportConformance, DeliversToEveryMatchingFilterOfAClient) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> wide;
  std::vector<Received> narrow;
  cloud->subscribe("a/#", note(wide));
  cloud->subscribe("a/b", note(narrow));
  publish(*device, "a/b", "x");
  EXPECT_TRUE(poll_until(*cloud, [&] { return !wide.empty() && !narrow.empty(); }));
}

TEST_P(TransportConformance, DeliversAPublishersOwnMessages) {
  const auto device = connect("device");
  std::vector<Received> got;
  device->subscribe("loop", note(got));
  publish(*device, "loop", "back");
  EXPECT_TRUE(poll_until(*device, [&] { return !got.empty(); }));
}

TEST_P(TransportConformance, LosesNothingAmongMany) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> got;
  cloud->subscribe("samples", note(got));
  std::set<Received> sent;
  for (int i = 0; i < 300; ++i) {
    publish(*device, "samples", std::to_string(i));
    sent.insert({"samples", std::to_string(i)});
  }
  const auto seen = [&] {
    return std::set(got.begin(), got.end());
  };
  EXPECT_TRUE(poll_until(*cloud, [&] { return seen() == sent; }));
  poll_all(*cloud);
  EXPECT_EQ(seen(), sent);
}

TEST_P(TransportConformance, DeliversAgainUntilTheHandlerReturnsTrue) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  int calls = 0;
  cloud->subscribe("t",
                   [&](const std::string&, std::span<const std::byte>) { return ++calls >= 4; });
  publish(*device, "t", "x");
  EXPECT_TRUE(poll_until(*cloud, [&] { return calls >= 4; }));
  poll_all(*cloud);
  const int settled = calls;
  poll_all(*cloud);
  EXPECT_EQ(calls, settled);
}

TEST_P(TransportConformance, ARefusedMessageDoesNotHoldUpTheOthers) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::set<std::string> accepted;
  bool willing = false;
  cloud->subscribe("t", [&](const std::string&, std::span<const std::byte> payload) {
    const std::string text(core::as_text(payload));
    if (text == "0" && !willing) {
      return false;
    }
    accepted.insert(text);
    return true;
  });
  for (int i = 0; i < 5; ++i) {
    publish(*device, "t", std::to_string(i));
  }
  EXPECT_TRUE(poll_until(*cloud, [&] { return accepted.size() == 4; }));
  willing = true;
  EXPECT_TRUE(poll_until(*cloud, [&] { return accepted.size() == 5; }));
}

TEST_P(TransportConformance, AnExceptionIsThrownOnAndTheMessageDeliveredAgain) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  bool failing = true;
  std::set<std::string> accepted;
  cloud->subscribe("t", [&](const std::string&, std::span<const std::byte> payload) {
    if (failing) {
      throw std::runtime_error("the disk is full");
    }
    accepted.emplace(core::as_text(payload));
    return true;
  });
  publish(*device, "t", "a");
  publish(*device, "t", "b");
  EXPECT_THROW(poll_until(*cloud, [] { return false; }), std::runtime_error);
  failing = false;
  EXPECT_TRUE(poll_until(*cloud, [&] { return accepted.size() == 2; }));
}

TEST_P(TransportConformance, AHandlerMayPublish) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> acks;
  device->subscribe("ack", note(acks));
  cloud->subscribe("samples", [&](const std::string&, std::span<const std::byte> payload) {
    cloud->publish("ack", payload);
    return true;
  });
  publish(*device, "samples", "1");
  EXPECT_TRUE(poll_until(*device, [&] {
    cloud->poll();
    return !acks.empty();
  }));
  EXPECT_THAT(acks, Each(Received{"ack", "1"}));
}

TEST_P(TransportConformance, AHandlerMaySubscribe) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> got;
  cloud->subscribe("first", [&](const std::string&, std::span<const std::byte>) {
    cloud->subscribe("second", note(got));
    return true;
  });
  publish(*device, "first", "x");
  EXPECT_TRUE(poll_until(*device, [&] {
    cloud->poll();
    publish(*device, "second", "y");
    return !got.empty();
  }));
}

TEST_P(TransportConformance, TheSameFilterAgainReplacesTheHandler) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> before;
  std::vector<Received> after;
  cloud->subscribe("t", note(before));
  cloud->subscribe("t", note(after));
  publish(*device, "t", "x");
  EXPECT_TRUE(poll_until(*cloud, [&] { return !after.empty(); }));
  EXPECT_THAT(before, IsEmpty());
}

TEST_P(TransportConformance, MessagesWithoutASubscriberAreKeptForNobody) {
  const auto device = connect("device");
  const auto cloud = connect("cloud");
  std::vector<Received> got;
  publish(*device, "t", "early");
  cloud->subscribe("t", note(got));
  publish(*device, "t", "late");
  EXPECT_TRUE(poll_until(*cloud, [&] { return !got.empty(); }));
  poll_all(*cloud);
  EXPECT_THAT(got, Each(Received{"t", "late"}));
}

TEST_P(TransportConformance, ASessionOutlivesItsTransport) {
  const auto device = connect("device");
  std::vector<Received> got;
  {
    const auto cloud = connect("cloud");
    cloud->subscribe("t", note(got));
    publish(*device, "t", "while connected");
  }
  publish(*device, "t", "while away");
  EXPECT_THAT(got, IsEmpty());
  const auto cloud = connect("cloud");
  std::vector<Received> again;
  cloud->subscribe("t", note(again));
  EXPECT_TRUE(poll_until(*cloud, [&] { return std::set(again.begin(), again.end()).size() == 2; }));
  EXPECT_THAT(got, IsEmpty());  // the old handler is gone
}

TEST_P(TransportConformance, ARefusedMessageOutlivesItsTransport) {
  const auto device = connect("device");
  int refused = 0;
  {
    const auto cloud = connect("cloud");
    cloud->subscribe("t", [&](const std::string&, std::span<const std::byte>) {
      ++refused;
      return false;
    });
    publish(*device, "t", "x");
    EXPECT_TRUE(poll_until(*cloud, [&] { return refused > 0; }));
  }
  const auto cloud = connect("cloud");
  std::vector<Received> got;
  cloud->subscribe("t", note(got));
  EXPECT_TRUE(poll_until(*cloud, [&] { return !got.empty(); }));
}

TEST_P(TransportConformance, AnAcceptedMessageIsNotDeliveredToTheNextConnection) {
  const auto device = connect("device");
  std::vector<Received> got;
  {
    const auto cloud = connect("cloud");
    cloud->subscribe("t", note(got));
    publish(*device, "t", "x");
    EXPECT_TRUE(poll_until(*cloud, [&] { return !got.empty(); }));
    poll_all(*cloud);
  }
  const auto cloud = connect("cloud");
  std::vector<Received> again;
  cloud->subscribe("t", note(again));
  poll_all(*cloud);
  EXPECT_THAT(again, IsEmpty());
}

TEST_P(TransportConformance, ANewerConnectionTakesTheSessionOver) {
  const auto device = connect("device");
  auto cloud = connect("cloud");
  std::vector<Received> old;
  cloud->subscribe("t", note(old));
  std::vector<Received> got;
  cloud = connect("cloud");  // the new one is made before the old one goes
  cloud->subscribe("t", note(got));
  publish(*device, "t", "x");
  EXPECT_TRUE(poll_until(*cloud, [&] { return !got.empty(); }));
  EXPECT_THAT(old, IsEmpty());
}

TEST_P(TransportConformance, RefusesMalformedTopicsAndFilters) {
  const auto client = connect("client");
  for (const char* topic : {"", "a/+", "a/#", "#", "a+b"}) {
    EXPECT_THROW(publish(*client, topic, "x"), core::Error) << topic;
  }
  EXPECT_THROW(publish(*client, std::string("a\0b", 3), "x"), core::Error);
  std::vector<Received> got;
  for (const char* filter : {"", "a+", "a/b#", "#/a", "a/#/b"}) {
    EXPECT_THROW(client->subscribe(filter, note(got)), core::Error) << filter;
  }
  EXPECT_THROW(client->subscribe("a", nullptr), core::Error);
}

}  // namespace coppice::link
