#include "cloud/sql.h"

#include <string>
#include <system_error>

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "core/file_descriptor.h"
#include "jobs/database_error.h"

namespace coppice::cloud {

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
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  throw jobs::database_error(file, sqlite != nullptr ? sqlite->result() : 0, error.what());
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
