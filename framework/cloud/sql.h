#pragma once

#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "core/error.h"
#include "core/files.h"

namespace coppice::cloud {

/// Opens a SQLite file through SOCI for a service: write-ahead log, waits for other writers.
/// Private to this module.
inline void open_sqlite(soci::session& sql, const std::filesystem::path& file) {
  std::filesystem::create_directories(file.parent_path());
  sql.open(soci::sqlite3, fmt::format("dbname={} timeout=10", file.string()));
  sql << "PRAGMA journal_mode=WAL";
  sql << "PRAGMA synchronous=NORMAL";
}

/// Runs `work` and turns the database's errors into ours, naming the file.
template <class Work>
auto guarded(const std::filesystem::path& file, Work&& work) {
  try {
    return work();
  } catch (const soci::soci_error& error) {
    throw core::Error(core::ErrorKind::Io, fmt::format("{}: {}", file.string(), error.what()));
  }
}

inline core::Bytes to_bytes(soci::blob& blob) {
  core::Bytes bytes(blob.get_len());
  if (!bytes.empty()) {
    blob.read(0, reinterpret_cast<char*>(bytes.data()), bytes.size());
  }
  return bytes;
}

inline void fill(soci::blob& blob, std::span<const std::byte> bytes) {
  blob.write(0, reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace coppice::cloud
