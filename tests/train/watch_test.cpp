#include "train/ranks/watch.h"

#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/ranks/silence.h"

namespace coppice::train {

namespace {

using ::testing::HasSubstr;

TEST(Silence, TellsWhoWasSilentLongest) {
  Silence silence(3);
  EXPECT_EQ(silence.lost(100, 10), std::nullopt) << "nobody has come yet";
  silence.hear(0, 1, 5);
  silence.hear(1, 1, 3);
  silence.hear(2, 1, 5);
  EXPECT_EQ(silence.lost(12, 10), std::nullopt);
  silence.hear(0, 2, 12);
  silence.hear(1, 1, 12);  // no new beat
  silence.hear(2, 1, 12);
  EXPECT_EQ(silence.lost(14, 10), 1);
  EXPECT_EQ(silence.lost(100, 10), 1) << "the first of several";
  silence.forgive(99);
  EXPECT_EQ(silence.lost(100, 10), std::nullopt);
}

TEST(Silence, WhoLeftMayBeSilent) {
  Silence silence(2);
  silence.hear(0, 1, 50);
  silence.hear(1, Silence::kLeft + 7, 1);
  EXPECT_EQ(silence.lost(55, 10), std::nullopt);
}

/// What a store is, in this process.
class MemoryBoard final : public Board {
 public:
  int64_t add(const std::string& counter, int64_t value) override {
    const std::lock_guard lock(mutex_);
    if (gone_) {
      throw std::runtime_error("connection closed");
    }
    return counters_[counter] += value;
  }

  void write(const std::string& note, const std::string& text) override {
    const std::lock_guard lock(mutex_);
    notes_[note] = text;
  }

  std::optional<std::string> read(const std::string& note) override {
    const std::lock_guard lock(mutex_);
    const auto found = notes_.find(note);
    return found == notes_.end() ? std::nullopt : std::optional(found->second);
  }

  void vanish() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int64_t> counters_;
  std::map<std::string, std::string> notes_;
  bool gone_ = false;
};

class WatchTest : public ::testing::Test {
 protected:
  static Placement place(int64_t rank) {
    return {.rank = rank, .ranks = 2, .host = "here", .port = 7};
  }

  std::unique_ptr<Watch> watch(int64_t rank, const JoinOptions& options = kQuick) {
    return std::make_unique<Watch>(board_, place(rank), options);
  }

  /// Of the error that ends the job.
  static core::Error end_of(Watch& watch) {
    for (int look = 0; look < 2000; ++look) {
      try {
        watch.check();
      } catch (const core::Error& error) {
        return error;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return {core::ErrorKind::Internal, "nothing ends"};
  }

  void come_and_fall_silent(int64_t rank) {
    const auto short_lived = watch(rank);
    while (!has_come(*board_, rank)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  static inline const JoinOptions kQuick = {.silence = std::chrono::milliseconds(1000),
                                            .beat = std::chrono::milliseconds(20)};
  std::shared_ptr<MemoryBoard> board_ = std::make_shared<MemoryBoard>();
};

TEST_F(WatchTest, ARankThatFallsSilentIsNamed) {
  const auto zero = watch(0);
  EXPECT_NO_THROW(zero->check());
  come_and_fall_silent(1);
  EXPECT_THAT(end_of(*zero).what(), HasSubstr("rank 1 of 2 is lost"));
}

TEST_F(WatchTest, ARankThatSaysWhyEndsTheOthersWithItsWords) {
  const auto zero = watch(0);
  const auto one = watch(1);
  say_why(*board_, place(1), {core::ErrorKind::Numeric, "the loss is not a number"});
  say_why(*board_, place(0), {core::ErrorKind::Io, "too late"});
  const core::Error error = end_of(*zero);
  EXPECT_EQ(error.kind(), core::ErrorKind::Numeric);
  EXPECT_STREQ(error.what(), "rank 1: the loss is not a number");
  EXPECT_STREQ(end_of(*one).what(), error.what());
}

TEST_F(WatchTest, WithTheStoreRankZeroIsLost) {
  const auto one = watch(1);
  EXPECT_NO_THROW(one->check());
  board_->vanish();
  EXPECT_THAT(end_of(*one).what(), ::testing::AllOf(HasSubstr("rank 0 of 2"), HasSubstr("here:7")));
}

TEST_F(WatchTest, ABrokenConnectionIsExplained) {
  const auto zero = watch(0);
  come_and_fall_silent(1);
  std::string message;
  try {
    zero->explain("reset by peer");
  } catch (const core::Error& error) {
    message = error.what();
  }
  EXPECT_THAT(message, HasSubstr("rank 1 of 2 is lost"));
}

TEST_F(WatchTest, ARankTooBusyToNoticeIsToldByTheOtherThread) {
  std::promise<std::string> told;
  JoinOptions options = kQuick;
  options.when_unheard = [&](const core::Error& error) {
    told.set_value(error.what());
  };
  const auto zero = watch(0, options);
  come_and_fall_silent(1);
  EXPECT_THAT(told.get_future().get(), HasSubstr("rank 1 of 2 is lost"));
}

}  // namespace

}  // namespace coppice::train
