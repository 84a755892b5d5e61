#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file_descriptor.h"
#include "release/release.h"

namespace coppice::release {

namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kSignature = "manifest.sig";
constexpr const char* kArtefact = "model.onnx";
constexpr std::array kFiles{kManifest, kSignature, kArtefact};

void sync_folder(const fs::path& folder) {
  const core::FileDescriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor || ::fsync(descriptor.get()) != 0) {
    throw core::file_error("sync", folder, errno);
  }
}

/// A new sibling of `target`, removed with what it holds at the end.
class Sibling {
 public:
  explicit Sibling(const fs::path& target) {
    for (int attempt = 0;; ++attempt) {
      path_ = target.parent_path() /
              fmt::format(".{}.{}-{}.tmp", target.filename().string(), ::getpid(), attempt);
      std::error_code failed;
      if (fs::create_directory(path_, failed)) {
        return;
      }
      if (failed) {
        throw core::file_error("create", path_, failed.value());
      }
    }
  }

  ~Sibling() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  Sibling(const Sibling&) = delete;
  Sibling& operator=(const Sibling&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

bool is_release_folder(const fs::path& folder) {
  std::error_code failed;
  fs::directory_iterator entries;
  if (fs::symlink_status(folder, failed).type() == fs::file_type::directory) {
    entries = fs::directory_iterator(folder, failed);
  }
  bool ours = !failed && entries != fs::directory_iterator();
  while (ours && entries != fs::directory_iterator()) {
    const std::string name = entries->path().filename().string();
    ours = std::find(kFiles.begin(), kFiles.end(), name) != kFiles.end();
    entries.increment(failed);
  }
  return ours && !failed;
}

/// Puts `source` in the place of `target`; what was there is at `source` afterwards.
void exchange(const fs::path& source, const fs::path& target) {
  if (::renameat2(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    return;
  }
  if (errno == EINVAL || errno == ENOSYS) {
    throw core::Error(
        core::ErrorKind::Unsupported,
        fmt::format(
            "this file system can't replace release folder '{}' in one step; write to a new folder",
            target.string()));
  }
  throw core::file_error("write", target, errno);
}

}  // namespace

void write_release(const Release& release, const fs::path& folder) {
  fs::path target = fs::absolute(folder).lexically_normal();
  if (target.filename().empty()) {
    target = target.parent_path();
  }
  std::error_code failed;
  fs::create_directories(target.parent_path(), failed);
  if (failed) {
    throw core::file_error("create", target.parent_path(), failed.value());
  }
  const fs::file_type there = fs::symlink_status(target, failed).type();
  const bool empty = there == fs::file_type::directory && fs::is_empty(target, failed);
  const bool replaces = there != fs::file_type::not_found && !empty;
  // What is exchanged is removed afterwards: never take a folder that holds somebody's files.
  if (replaces && !is_release_folder(target)) {
    throw core::Error(
        core::ErrorKind::Refused,
        fmt::format("'{}' exists and is no release folder; choose another name", target.string()));
  }
  const Sibling sibling(target);
  core::write_file(sibling.path() / kManifest, release.manifest);
  core::write_file(sibling.path() / kSignature, release.signature);
  core::write_file(sibling.path() / kArtefact, release.artefact);
  sync_folder(sibling.path());
  if (replaces) {
    exchange(sibling.path(), target);
  } else if (::rename(sibling.path().c_str(), target.c_str()) != 0) {
    throw core::file_error("write", target, errno);
  }
  sync_folder(target.parent_path());
}

Release read_release(const fs::path& folder) {
  return {core::read_file(folder / kManifest),
          core::read_file(folder / kSignature),
          core::read_file(folder / kArtefact)};
}

}  // namespace coppice::release
