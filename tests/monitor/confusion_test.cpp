#include "monitor/confusion.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice::monitor {
namespace {

TEST(Confusion, CountsByTrueAndPredictedClass) {
  Confusion c(3);
  EXPECT_EQ(c.classes(), 3);
  EXPECT_EQ(c.total(), 0);
  EXPECT_EQ(c.accuracy(), 0);
  c.add(0, 0);
  c.add(0, 0);
  c.add(0, 1);
  c.add(1, 2);
  EXPECT_EQ(c.at(0, 0), 2);
  EXPECT_EQ(c.at(0, 1), 1);
  EXPECT_EQ(c.at(1, 0), 0);
  EXPECT_EQ(c.at(1, 2), 1);
  EXPECT_EQ(c.total(), 4);
  EXPECT_DOUBLE_EQ(c.accuracy(), 0.5);
  const auto recall = c.recall();
  ASSERT_EQ(recall.size(), 3U);
  EXPECT_DOUBLE_EQ(recall[0], 2.0 / 3);
  EXPECT_DOUBLE_EQ(recall[1], 0);
  EXPECT_TRUE(std::isnan(recall[2]));
}

TEST(Confusion, RefusesClassesItDoesNotHave) {
  EXPECT_THROW(Confusion(0), core::Error);
  Confusion c(2);
  EXPECT_THROW(c.add(2, 0), core::Error);
  EXPECT_THROW(c.add(0, 2), core::Error);
  EXPECT_THROW(c.add(-1, 0), core::Error);
  EXPECT_THROW(c.at(0, -1), core::Error);
  EXPECT_EQ(c.total(), 0);
}

}  // namespace
}  // namespace coppice::monitor
