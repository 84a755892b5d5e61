#include "cloud/sql.h"

#include <string>
#include <system_error>

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "core/error.h"
#include "core/file_descriptor.h"

namespace coppice::cloud {

namespace {

constexpr int kCorrupt = 11;     // SQLITE_CORRUPT
constexpr int kNoDatabase = 26;  // SQLITE_NOTADB

}  // namespace

void open_sqlite(soci::session& sql,
                 const std::filesystem::path& file,
                 std::span<const char* const> schema,
                 bool wait_for_disk) {
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  if (failed) {
    throw core::file_error("create", file.parent_path(), failed.value());
  }
  guarded(file, [&] {
    sql.open(soci::sqlite3, fmt::format("db=\"{}\" timeout=10", file.string()));
    sql << "PRAGMA journal_mode=WAL";
    sql << "PRAGMA synchronous=NORMAL";  // tables need no wait: what is missing is made again
    for (const char* table : schema) {
      sql << table;
    }
    if (wait_for_disk) {
      sql << "PRAGMA synchronous=FULL";
    }
  });
}

void rethrow(const std::filesystem::path& file, const soci::soci_error& error) {
  core::ErrorKind kind = core::ErrorKind::Io;
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
    const int result = sqlite->result() & 0xff;
    if (result == kCorrupt || result == kNoDatabase) {
      kind = core::ErrorKind::Corrupt;
    }
  }
  // The lines after the first repeat the query and its values.
  std::string message = error.what();
  message = message.substr(0, message.find('\n'));
  throw core::Error(kind, fmt::format("database '{}': {}", file.string(), message));
}

core::Bytes to_bytes(soci::blob& blob) {
  core::Bytes bytes(blob.get_len());
  if (!bytes.empty()) {
    // SOCI's SQLite backend has no read_from_start.
    blob.read(0, reinterpret_cast<char*>(bytes.data()), bytes.size());
  }
  return bytes;
}

void fill(soci::blob& blob, std::span<const std::byte> bytes) {
  blob.write(0, reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace coppice::cloud
