#include "cloud/labeller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"

namespace coppice::cloud {
namespace {

int64_t truth_of(const std::string&, int64_t sequence) {
  return sequence > 10000 ? -1 : sequence % 10;
}

link::Sample numbered_sample(int64_t sequence) {
  link::Sample s;
  s.sequence = sequence;
  return s;
}

TEST(SimulatedLabeller, IsWrongAsOftenAsWantedAndEachTimeInTheSameWay) {
  SimulatedLabeller labeller(truth_of, 10, 0.1, 3);
  SimulatedLabeller again(truth_of, 10, 0.1, 3);
  SimulatedLabeller other(truth_of, 10, 0.1, 4);
  int wrong = 0;
  int differ = 0;
  for (int64_t i = 10000; i >= 1; --i) {
    const int64_t label = labeller.label("d", numbered_sample(i));
    EXPECT_GE(label, 0);
    EXPECT_LT(label, 10);
    wrong += label != i % 10 ? 1 : 0;
    differ += label != other.label("d", numbered_sample(i)) ? 1 : 0;
  }
  EXPECT_NEAR(wrong, 1000, 100);
  EXPECT_GT(differ, 1000);
  for (int64_t i = 1; i <= 1000; ++i) {
    EXPECT_EQ(again.label("d", numbered_sample(i)), labeller.label("d", numbered_sample(i)));
  }
}

TEST(SimulatedLabeller, CanNotTellWhatTheTruthCanNot) {
  SimulatedLabeller labeller(truth_of, 10, 1, 3);
  EXPECT_EQ(labeller.label("d", numbered_sample(10001)), -1);
}

TEST(SimulatedLabeller, NeedsAnotherClassToBeWrong) {
  EXPECT_ERROR(
      SimulatedLabeller(truth_of, 1, 0.1, 3), InvalidArgument, ::testing::HasSubstr("two classes"));
  EXPECT_EQ(SimulatedLabeller(truth_of, 1, 0, 3).label("d", numbered_sample(10)), 0);
}

}  // namespace
}  // namespace coppice::cloud
