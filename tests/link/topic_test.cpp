#include <gtest/gtest.h>

#include "core/error.h"
#include "link/transport.h"

namespace coppice::link {
namespace {

TEST(Topic, MatchesAsMqttSays) {
  struct Case {
    const char* filter;
    const char* topic;
    bool matches;
  };

  // The first ones are the examples of MQTT 3.1.1, section 4.7.
  const Case cases[] = {
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/tennis/player1/#", "sport/tennis/player10", false},
      {"sport/#", "sport", true},
      {"#", "sport/tennis", true},
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"#", "$SYS/monitor/clients", false},
      {"+/monitor/clients", "$SYS/monitor/clients", false},
      {"$SYS/#", "$SYS/monitor/clients", true},
      {"$SYS/monitor/+", "$SYS/monitor/clients", true},
      {"a/b", "a/b", true},
      {"a/b", "A/b", false},
      {"a/b", "a/b/", false},
      {"a/b/", "a/b", false},
      {"a", "ab", false},
      {"ab", "a", false},
      {"+/b/#", "a/b", true},
      {"+/b/#", "a/b/c/d", true},
      {"+/b/#", "a/c", false},
      {"+/+/+", "a/b", false},
      {"a/+/#", "a", false},
      {"a//b", "a//b", true},
      {"a/+/b", "a//b", true},
      {"coppice/v1/+/+/samples", "coppice/v1/f/d/samples", true},
      {"coppice/v1/+/+/samples", "coppice/v1/f/d/status", false},
      {"a#", "a#", false},  // malformed filters and topics match nothing
      {"a/#/c", "a/b/c", false},
      {"a+", "ab", false},
      {"", "", false},
      {"#", "", false},
      {"a/+", "a/+", false},
      {"a/#", "a/#", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(topic_matches(c.filter, c.topic), c.matches) << c.filter << " against " << c.topic;
  }
}

TEST(Topic, HasItsPlaceInTheTree) {
  EXPECT_EQ(topic("shop", "camera-1", "samples"), "coppice/v1/shop/camera-1/samples");
  EXPECT_EQ(topic("shop", "+", "status"), "coppice/v1/shop/+/status");
}

TEST(Topic, RefusesPartsThatAreNoNames) {
  for (const char* bad : {"", "a/b", "#", "a+", "a#"}) {
    EXPECT_THROW(topic(bad, "d", "l"), core::Error) << bad;
    EXPECT_THROW(topic("f", bad, "l"), core::Error) << bad;
    EXPECT_THROW(topic("f", "d", bad), core::Error) << bad;
  }
  EXPECT_THROW(topic("f", std::string_view("a\0b", 3), "l"), core::Error);
}

TEST(Topic, KnowsWhatMayBePublishedAndSubscribedTo) {
  EXPECT_TRUE(is_valid_topic("a/b//c"));
  EXPECT_FALSE(is_valid_topic(std::string(65536, 'a')));
  EXPECT_TRUE(is_valid_topic(std::string(65535, 'a')));
  EXPECT_TRUE(is_valid_filter("+/a/+/#"));
  EXPECT_FALSE(is_valid_filter("a/##"));
  EXPECT_FALSE(is_valid_filter("++"));
}

}  // namespace
}  // namespace coppice::link
