#include "jobs/database_error.h"

#include <fmt/format.h>

namespace coppice::jobs {

namespace {

constexpr int kCorrupt = 11;     // SQLITE_CORRUPT
constexpr int kNoDatabase = 26;  // SQLITE_NOTADB

}  // namespace

core::Error database_error(const std::filesystem::path& file,
                           int result,
                           std::string_view message) {
  const int primary = result & 0xff;
  const bool damaged = primary == kCorrupt || primary == kNoDatabase;
  return {damaged ? core::ErrorKind::Corrupt : core::ErrorKind::Io,
          fmt::format("database '{}': {}", file.string(), message.substr(0, message.find('\n')))};
}

}  // namespace coppice::jobs
