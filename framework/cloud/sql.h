#pragma once

#include <filesystem>
#include <span>
#include <utility>

#include <soci/soci.h>

#include "core/files.h"

namespace coppice::cloud {

/// Opens a SQLite file through SOCI for a service and makes its tables where they are missing:
/// write-ahead log, waits for other writers. A commit has reached the disk when it returns, or
/// without `wait_for_disk` the operating system, which a kill of the process can't undo but a power
/// cut can. Private to this module, like the rest of this header. Throws Error{NotFound, Io,
/// Corrupt}.
void open_sqlite(soci::session& sql,
                 const std::filesystem::path& file,
                 std::span<const char* const> schema,
                 bool wait_for_disk);

/// Throws Error{Io, Corrupt} naming the file.
[[noreturn]] void rethrow(const std::filesystem::path& file, const soci::soci_error& error);

/// Runs `work` and turns the database's errors into ours.
template <class Work>
auto guarded(const std::filesystem::path& file, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const soci::soci_error& error) {
    rethrow(file, error);
  }
}

core::Bytes to_bytes(soci::blob& blob);
void fill(soci::blob& blob, std::span<const std::byte> bytes);

}  // namespace coppice::cloud
