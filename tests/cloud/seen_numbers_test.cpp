#include "cloud/seen_numbers.h"

#include <gtest/gtest.h>

namespace coppice::cloud {
namespace {

TEST(SeenNumbers, TakesEachOnceInAnyOrder) {
  SeenNumbers seen;
  EXPECT_EQ(seen.newest(), 0U);
  for (const uint64_t number : {5, 3, 9, 0, 4}) {
    EXPECT_TRUE(seen.take(number)) << number;
    EXPECT_FALSE(seen.take(number)) << number;
  }
  EXPECT_EQ(seen.newest(), 9U);
  EXPECT_TRUE(seen.take(6)) << "late, not repeated";
}

TEST(SeenNumbers, WhatIsOlderThanItRemembersCountsAsTaken) {
  SeenNumbers seen(3);
  for (const uint64_t number : {10, 20, 30, 40}) {
    EXPECT_TRUE(seen.take(number));
  }
  EXPECT_FALSE(seen.take(10));
  EXPECT_FALSE(seen.take(9));
  EXPECT_TRUE(seen.take(11));
  EXPECT_FALSE(seen.take(11));
}

TEST(MessageNumber, IsWhatFollowsTheSender) {
  EXPECT_EQ(message_number("edge-1/17", "edge-1"), 17U);
  EXPECT_EQ(message_number("a/b/17", "a/b"), 17U);
  for (const char* id : {"edge-1/",
                         "edge-1",
                         "edge-2/17",
                         "edge-1/x",
                         "edge-1/17x",
                         "edge-1/-1",
                         "edge-1/samples/17",
                         "edge-1/99999999999999999999",
                         ""}) {
    EXPECT_FALSE(message_number(id, "edge-1").has_value()) << id;
  }
}

}  // namespace
}  // namespace coppice::cloud
