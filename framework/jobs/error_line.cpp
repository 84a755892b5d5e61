#include "jobs/error_line.h"

#include <array>

#include <fmt/format.h>

namespace coppice::jobs {

namespace {

using core::ErrorKind;

constexpr std::string_view kMark = "error: ";
constexpr std::array kKinds = {ErrorKind::InvalidArgument,
                               ErrorKind::Config,
                               ErrorKind::NotFound,
                               ErrorKind::Io,
                               ErrorKind::Corrupt,
                               ErrorKind::Refused,
                               ErrorKind::Unsupported,
                               ErrorKind::Numeric,
                               ErrorKind::Interrupted,
                               ErrorKind::Internal};

core::Error parse(std::string_view line) {
  for (const ErrorKind kind : kKinds) {
    const std::string prefix = fmt::format("{}: ", core::to_string(kind));
    if (line.starts_with(prefix)) {
      return {kind, std::string(line.substr(prefix.size()))};
    }
  }
  return {ErrorKind::Internal, std::string(line)};
}

}  // namespace

std::string to_error_line(const core::Error& error) {
  std::string message = error.what();
  for (char& c : message) {
    c = c == '\n' || c == '\r' ? ' ' : c;
  }
  return fmt::format("{}{}: {}", kMark, core::to_string(error.kind()), message);
}

core::Error parse_error_lines(std::string_view text) {
  while (!text.empty()) {
    if (text.back() == '\n' || text.back() == '\r') {
      text.remove_suffix(1);
      continue;
    }
    const size_t start = text.rfind('\n') + 1;  // npos + 1 is 0
    const std::string_view line = text.substr(start);
    if (line.starts_with(kMark)) {
      return parse(line.substr(kMark.size()));
    }
    text = text.substr(0, start);
  }
  return {ErrorKind::Internal, ""};
}

}  // namespace coppice::jobs
