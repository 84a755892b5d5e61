#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coppice::core {

using Bytes = std::vector<std::byte>;

/// Throws Error{NotFound, Io}.
Bytes read_file(const std::filesystem::path& file);
std::string read_text(const std::filesystem::path& file);

/// Writes to a temporary name beside the target, syncs, renames and syncs the folder: a reader sees
/// the old file or the new one, whole, whenever the process is killed. On a full disk throws
/// Error{Io} and leaves the old file as it was.
void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& file, std::string_view text);

/// The same for writers that want a path (HDF5, SQLite): write to `path()`, then `commit()`;
/// without it the destructor removes the temporary file.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& path() const { return temporary_; }

  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

/// A new empty folder under the system's temporary folder, removed with all it holds at the end of
/// its life.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Gunzips (RFC 1952). Throws Error{Corrupt} for truncated or altered data; `what` names it in the
/// message.
Bytes gunzip(std::span<const std::byte> compressed, std::string_view what);

std::span<const std::byte> as_bytes(std::string_view text);
std::string_view as_text(std::span<const std::byte> bytes);

}  // namespace coppice::core
