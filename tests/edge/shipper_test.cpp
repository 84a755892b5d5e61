#include "edge/shipper.h"

#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "edge/samples.h"

namespace coppice::edge {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::entry;
using ::testing::IsEmpty;
using ::testing::Le;
using testing::sequences;
using ::testing::SizeIs;

struct Sent {
  std::string id;
  std::vector<int64_t> sequences;
  int64_t bytes = 0;
  bool operator==(const Sent&) const = default;
};

class ShipperTest : public ::testing::Test {
 protected:
  void start(const ShipOptions& options) {
    shipper_.emplace(options, "d", spool_, clock_, [this](std::span<const std::byte> bytes) {
      const auto envelope = link::decode(bytes);
      sent_.push_back({envelope.id,
                       sequences(std::get<link::SampleBatch>(envelope.body).samples),
                       std::ssize(bytes)});
    });
  }

  std::vector<Sent> ship() {
    sent_.clear();
    shipper_->ship();
    return sent_;
  }

  static int64_t bytes_of(const std::vector<Sent>& sent) {
    int64_t bytes = 0;
    for (const Sent& message : sent) {
      bytes += message.bytes;
    }
    return bytes;
  }

  core::TemporaryFolder folder_;
  core::VirtualClock clock_{core::Timestamp{std::chrono::days{20000} + 12h}};
  Spool spool_{folder_.path() / "spool.db", 1 << 20};
  std::vector<Sent> sent_;
  std::optional<Shipper> shipper_;
};

constexpr ShipOptions kPlenty{
    .daily_bytes = 1000000, .daily_samples = 1000, .batch_samples = 2, .resend_after_s = 3600};

TEST_F(ShipperTest, SendsTheMostValuableFirstInBatches) {
  spool_.add({entry(1, 1), entry(2, 5), entry(3, 3)});
  start(kPlenty);
  const auto sent = ship();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_THAT(sent[0].sequences, ElementsAre(2, 3));
  EXPECT_THAT(sent[1].sequences, ElementsAre(1));
  EXPECT_EQ(spool_.waiting(), 0);
  EXPECT_EQ(spool_.count(), 3) << "until the cloud has them";
  EXPECT_THAT(ship(), IsEmpty());
  shipper_->acknowledge({sent[0].id});
  EXPECT_THAT(spool_.under_way(), ElementsAre(sent[1].id));
}

TEST_F(ShipperTest, RepeatsTheSameMessageUntilItIsAcknowledged) {
  spool_.add({entry(1, 1), entry(2, 5), entry(3, 3)});
  start(kPlenty);
  const auto sent = ship();
  clock_.advance(59min);
  EXPECT_THAT(ship(), IsEmpty());
  clock_.advance(1min);
  shipper_->acknowledge({sent[1].id});
  const auto again = ship();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].id, sent[0].id);
  EXPECT_EQ(again[0].sequences, sent[0].sequences);
  shipper_->acknowledge({sent[0].id});
  clock_.advance(2h);
  EXPECT_THAT(ship(), IsEmpty());
  EXPECT_EQ(spool_.count(), 0);
}

TEST_F(ShipperTest, RepeatsAfterAClockThatWasSetBack) {
  spool_.add({entry(1, 1)});
  start(kPlenty);
  ship();
  clock_.advance(-24h * 365);
  EXPECT_THAT(ship(), SizeIs(1));
}

TEST_F(ShipperTest, SendsAtOnceAgainAfterARestart) {
  spool_.add({entry(1, 1)});
  start(kPlenty);
  const auto sent = ship();
  start(kPlenty);
  EXPECT_EQ(ship(), sent);
}

TEST_F(ShipperTest, KeepsToTheDaysSamples) {
  for (int64_t i = 1; i <= 9; ++i) {
    spool_.add({entry(i, 10 - static_cast<double>(i))});
  }
  ShipOptions options = kPlenty;
  options.daily_samples = 3;
  options.resend_after_s = 1000000;
  start(options);
  const auto sent = ship();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_THAT(sent[1].sequences, ElementsAre(3));
  start(options);
  EXPECT_EQ(ship(), sent) << "after a restart only what is under way";
  clock_.advance(12h - 1ms);
  EXPECT_THAT(ship(), IsEmpty());
  clock_.advance(1ms);  // midnight
  EXPECT_THAT(ship(), SizeIs(2));
  EXPECT_EQ(spool_.waiting(), 3);
}

TEST_F(ShipperTest, KeepsToTheDaysBytesWhateverThePayloadsCompressTo) {
  for (int64_t i = 1; i <= 60; ++i) {
    spool_.add({entry(i, 1, static_cast<size_t>(20 + 37 * i % 500))});
  }
  ShipOptions options = kPlenty;
  options.batch_samples = 16;
  options.daily_bytes = 3000;
  options.resend_after_s = 1000000;
  start(options);
  for (int day = 0; day < 5; ++day) {
    int64_t spent = 0;
    for (int hour = 0; hour < 24; ++hour) {
      const auto sent = ship();
      spent += bytes_of(sent);
      for (const Sent& message : sent) {
        shipper_->acknowledge({message.id});
      }
      clock_.advance(1h);
      if (hour == 11) {  // the clock starts at noon
        EXPECT_LE(spent, options.daily_bytes);
        spent = 0;
      }
    }
    EXPECT_LE(spent, options.daily_bytes);
  }
  EXPECT_LT(spool_.count(), 40) << "it does ship";
}

TEST_F(ShipperTest, RepeatsCountAndWaitForTheNextDay) {
  spool_.add({entry(1, 1, 400)});
  ShipOptions options = kPlenty;
  options.daily_bytes = 1200;
  start(options);
  const int64_t size = bytes_of(ship());
  ASSERT_GT(size, 400);
  ASSERT_LT(2 * size, 1200);
  clock_.advance(1h);
  EXPECT_THAT(ship(), SizeIs(1));
  clock_.advance(1h);
  EXPECT_THAT(ship(), IsEmpty()) << "a third time is over the budget";
  spool_.add({entry(2, 9, 1)});
  EXPECT_THAT(ship(), IsEmpty()) << "nothing overtakes what the cloud may wait for";
  start(options);
  EXPECT_THAT(ship(), IsEmpty()) << "a restart does not renew it";
  clock_.advance(10h);
  EXPECT_THAT(ship(), SizeIs(2));
}

TEST_F(ShipperTest, GivesUpASampleThatNoDayCanCarry) {
  spool_.add({entry(1, 9, 5000), entry(2, 1)});
  ShipOptions options = kPlenty;
  options.daily_bytes = 2000;
  start(options);
  const auto sent = ship();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_THAT(sent[0].sequences, ElementsAre(2));
  EXPECT_EQ(spool_.evicted(), 1);
}

TEST_F(ShipperTest, OnlyWaitsWithOneThatNeedsAWholeDay) {
  spool_.add({entry(1, 1, 1000)});
  ShipOptions options = kPlenty;
  options.daily_bytes = 2000;
  start(options);
  shipper_->acknowledge({ship().at(0).id});
  spool_.add({entry(2, 9, 1500), entry(3, 1)});
  EXPECT_THAT(ship(), IsEmpty());
  EXPECT_EQ(spool_.evicted(), 0);
  clock_.advance(12h);
  EXPECT_THAT(ship().at(0).sequences, ElementsAre(2, 3));
}

TEST_F(ShipperTest, PacksAnewWhatASmallerBudgetCanNoLongerCarry) {
  spool_.add({entry(1, 2, 400), entry(2, 1, 400)});
  start(kPlenty);
  const auto before = ship();
  ASSERT_THAT(before, SizeIs(1));
  clock_.advance(24h);
  ShipOptions options = kPlenty;
  options.daily_bytes = 700;
  start(options);
  const auto sent = ship();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_THAT(sent[0].sequences, ElementsAre(1));
  EXPECT_NE(sent[0].id, before[0].id);
  EXPECT_EQ(spool_.waiting(), 1);
}

TEST_F(ShipperTest, ABudgetOfNothingSendsAndLosesNothing) {
  spool_.add({entry(1, 1)});
  ShipOptions options = kPlenty;
  options.daily_bytes = 0;
  start(options);
  EXPECT_THAT(ship(), IsEmpty());
  options = kPlenty;
  options.daily_samples = 0;
  start(options);
  EXPECT_THAT(ship(), IsEmpty());
  EXPECT_EQ(spool_.waiting(), 1);
}

}  // namespace
}  // namespace coppice::edge
