#include "core/progress.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "core/terminal.h"

namespace coppice::core {

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr std::chrono::seconds kLineEvery{10};
constexpr int kNarrowestBar = 10;
constexpr int kWidestBar = 30;
constexpr std::string_view kGap = "  ";

std::string render_rate(double rate) {
  if (rate >= 1e7) {
    return fmt::format("{:.1f}M", rate / 1e6);
  }
  if (rate >= 1e4) {
    return fmt::format("{:.1f}k", rate / 1e3);
  }
  return rate >= 10 ? fmt::format("{:.0f}", rate) : fmt::format("{:.2g}", rate);
}

std::string render_time(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::clamp(seconds, 0.0, 3.6e9)));
  const int64_t hours = whole / 3600;
  const int64_t minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

int columns(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

/// The first `width` characters; never half of one.
std::string_view clip(std::string_view text, int width) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (!continues_character(text[i]) && width-- == 0) {
      return text.substr(0, i);
    }
  }
  return text;
}

std::string join(const std::vector<std::string>& parts) {
  std::string result;
  for (const std::string& part : parts) {
    if (!part.empty()) {
      result += (result.empty() ? "" : std::string(kGap)) + part;
    }
  }
  return result;
}

}  // namespace

std::string render_progress(std::string_view title,
                            int64_t done,
                            int64_t total,
                            double seconds,
                            std::string_view unit,
                            std::string_view note,
                            int width,
                            int64_t before) {
  const bool known = total > 0;
  const double fraction =
      known ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 0.0;
  const double rate = seconds > 0 ? static_cast<double>(done - before) / seconds : 0.0;
  std::vector<std::string> parts(1, std::string(title));
  parts.push_back(known ? fmt::format("{:3.0f}%", std::floor(100 * fraction))
                        : fmt::format("{} {}", done, unit));
  if (rate > 0) {
    parts.push_back(fmt::format("{} {}/s", render_rate(rate), unit));
  }
  if (known && done >= total) {
    parts.push_back("in " + render_time(seconds));
  } else if (known && rate > 0) {
    parts.push_back(render_time(static_cast<double>(total - done) / rate) + " left");
  } else {
    parts.push_back(render_time(seconds));
  }
  if (!note.empty()) {
    parts.emplace_back(note);
  }
  if (width <= 0) {
    return join(parts);
  }
  const int room = width - columns(join(parts)) - static_cast<int>(kGap.size()) - 2;
  if (known && room >= kNarrowestBar) {
    const int size = std::min(room, kWidestBar);
    const auto filled = static_cast<size_t>(fraction * size);
    parts.insert(parts.begin() + 1,
                 "[" + std::string(filled, '#') +
                     std::string(static_cast<size_t>(size) - filled, '.') + "]");
  }
  return std::string(clip(join(parts), width));
}

struct Progress::State {
  std::string title;
  int64_t total = 0;
  std::string unit;
  std::string note;
  int64_t before = 0;
  int64_t done = 0;
  bool redraws = terminal_redraws();
  bool drawn = false;
  SteadyClock::time_point start = SteadyClock::now();
  SteadyClock::time_point last = start;

  std::string render(int width) const {
    const std::chrono::duration<double> elapsed = SteadyClock::now() - start;
    return render_progress(title, done, total, elapsed.count(), unit, note, width, before);
  }

  void draw() noexcept {
    drawn = true;
    if (redraws) {
      terminal_bar(render(terminal_width() - 1));  // the last column would wrap the line
    } else {
      terminal_line(render(0));
    }
  }
};

Progress::Progress(std::string title, int64_t total, std::string unit, int64_t before)
    : state_(std::make_unique<State>()) {
  state_->title = std::move(title);
  state_->total = total;
  state_->unit = std::move(unit);
  state_->before = before;
  state_->done = before;
}

Progress::~Progress() {
  if (state_->drawn) {
    state_->draw();
    if (state_->redraws) {
      terminal_end_bar();
    }
  }
}

void Progress::advance(int64_t by) {
  state_->done += by;
  const SteadyClock::time_point now = SteadyClock::now();
  const auto since = now - state_->last;
  if (since >= (state_->redraws ? SteadyClock::duration(kRedrawEvery) : kLineEvery)) {
    state_->last = now;
    state_->draw();
  }
}

void Progress::note(std::string_view text) {
  state_->note = text;
}

}  // namespace coppice::core
