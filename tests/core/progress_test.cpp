#include "core/progress.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/expect_error.h"
#include "core/log.h"

namespace coppice::core {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(RenderProgress, ShowsBarPercentRateTimeLeftAndNote) {
  EXPECT_EQ(render_progress("train", 6000, 12000, 5, "images", "loss 0.4", 80),
            "train  [##############...............]   50%  1200 images/s  0:05 left  loss 0.4");
  EXPECT_EQ(render_progress("train", 0, 10, 0, "steps", "", 80),
            "train  [..............................]    0%  0:00");
  EXPECT_EQ(render_progress("train", 10, 10, 3725, "steps", "", 80),
            "train  [##############################]  100%  0.0027 steps/s  in 1:02:05");
}

TEST(RenderProgress, WhatWasDoneBeforeIsNotInTheRate) {
  EXPECT_EQ(render_progress("train", 7000, 10000, 5, "images", "", 0, 6000),
            "train   70%  200 images/s  0:15 left");
}

TEST(RenderProgress, OneHundredPercentOnlyAtTheEnd) {
  EXPECT_THAT(render_progress("a", 999, 1000, 1, "x", "", 0), HasSubstr(" 99%"));
  EXPECT_THAT(render_progress("a", 2000, 1000, 1, "x", "", 0), HasSubstr("100%"));
}

TEST(RenderProgress, CountsWhenTheTotalIsUnknown) {
  EXPECT_EQ(render_progress("scan", 25000, 0, 2, "files", "", 80),
            "scan  25000 files  12.5k files/s  0:02");
}

TEST(RenderProgress, IsNeverWiderThanTheTerminal) {
  for (int width = 1; width < 120; ++width) {
    const std::string line =
        render_progress("a long title", 700, 1000, 12, "images", "loss 0.4", width);
    EXPECT_LE(line.size(), static_cast<size_t>(width));
  }
  const std::string narrow = render_progress("train", 1, 2, 1, "images", "", 40);
  EXPECT_THAT(narrow, AllOf(HasSubstr("train"), HasSubstr("50%"), Not(HasSubstr("["))));
}

TEST(RenderProgress, DoesNotCutACharacterInHalf) {
  EXPECT_EQ(render_progress("größe", 1, 0, 0, "x", "", 4), "größ");
}

TEST(RenderProgress, PlainLinesHaveNoBar) {
  EXPECT_EQ(render_progress("train", 1, 4, 2, "steps", "loss 1", 0),
            "train   25%  0.5 steps/s  0:06 left  loss 1");
}

/// stderr is a terminal of 60 columns while it lives.
class StderrTerminal {
 public:
  StderrTerminal() {
    winsize size = {};
    size.ws_row = 24;
    size.ws_col = 60;
    int slave = -1;
    EXPECT_EQ(::openpty(&master_, &slave, nullptr, nullptr, &size), 0);
    saved_ = ::dup(STDERR_FILENO);
    ::dup2(slave, STDERR_FILENO);
    ::close(slave);
    ::setenv("TERM", "xterm", 1);
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
  }

  ~StderrTerminal() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(master_);
  }

  std::string read() {
    std::array<char, 65536> buffer;
    const ssize_t count = ::read(master_, buffer.data(), buffer.size());
    return {buffer.data(), count > 0 ? static_cast<size_t>(count) : 0};
  }

 private:
  int master_ = -1;
  int saved_ = -1;
};

void wait_for_redraw() {
  std::this_thread::sleep_for(std::chrono::milliseconds(110));
}

TEST(Progress, RedrawsOneLineOnATerminal) {
  StderrTerminal terminal;
  {
    Progress progress("train", 4, "steps");
    progress.note("loss 0.5");
    wait_for_redraw();
    progress.advance();
    EXPECT_THAT(terminal.read(), MatchesRegex("\r\x1b\\[2Ktrain  \\[[#.]+\\]   25%  .*loss 0.5"));
    progress.advance(3);
  }
  EXPECT_THAT(terminal.read(), MatchesRegex(".*\r\x1b\\[2Ktrain  \\[#+\\]  100%  .*\r\n"));
}

TEST(Progress, RedrawsAtMostTenTimesASecond) {
  StderrTerminal terminal;
  const Stopwatch watch;
  Progress progress("train", 0, "steps");
  std::string seen;
  while (watch.seconds() < 0.25) {
    progress.advance();
    seen += terminal.read();
  }
  const auto drawn = std::count(seen.begin(), seen.end(), '\r');
  EXPECT_GE(drawn, 1);
  EXPECT_LE(static_cast<double>(drawn), watch.seconds() * 10);
}

TEST(Progress, LogLinesStandAboveTheBar) {
  StderrTerminal terminal;
  Progress progress("train", 4, "steps");
  wait_for_redraw();
  progress.advance();
  terminal.read();
  log_info("saved");
  EXPECT_THAT(terminal.read(),
              MatchesRegex("\r\x1b\\[2K[0-9:]{8} info saved\r\ntrain  \\[[#.]+\\].*"));
}

TEST(Progress, AShortJobIsSilentWhereNothingCanBeRedrawn) {
  ::testing::internal::CaptureStderr();
  {
    Progress progress("train", 1000, "steps");
    for (int i = 0; i < 1000; ++i) {
      progress.advance();
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace coppice::core
