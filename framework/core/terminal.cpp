#include "core/terminal.h"

#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace coppice::core {

namespace {

std::mutex mutex;
std::string* standing_bar =
    nullptr;  // leaked: a static's destructor may run before the last log line

void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<size_t>(count));
    } else if (errno != EINTR) {
      return;  // stderr is closed: there is nobody left to tell
    }
  }
}

constexpr std::string_view kClearLine = "\r\x1b[2K";

}  // namespace

void terminal_line(std::string_view line) noexcept {
  const std::lock_guard lock(mutex);
  std::string text;
  if (standing_bar != nullptr) {
    text += kClearLine;
  }
  text += line;
  text += '\n';
  if (standing_bar != nullptr) {
    text += *standing_bar;
  }
  write_stderr(text);
}

void terminal_bar(std::string_view bar) noexcept {
  const std::lock_guard lock(mutex);
  if (standing_bar == nullptr) {
    standing_bar = new std::string;
  }
  *standing_bar = bar;
  write_stderr(std::string(kClearLine) + *standing_bar);
}

void terminal_end_bar() noexcept {
  const std::lock_guard lock(mutex);
  if (standing_bar != nullptr) {
    delete standing_bar;
    standing_bar = nullptr;
    write_stderr("\n");
  }
}

bool terminal_redraws() noexcept {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

int terminal_width() noexcept {
  winsize size = {};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? static_cast<int>(size.ws_col) : 80;
}

}  // namespace coppice::core
