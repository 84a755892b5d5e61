#pragma once

#include <filesystem>

#include "core/file_descriptor.h"

namespace coppice::jobs {

/// Holds an exclusive lock (flock) on a file for its life; the system frees it when the process
/// dies. Excludes threads of one process from each other too. Waits for another holder; throws
/// Error{Interrupted} on Ctrl-C meanwhile, Error{Io}.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& file);

 private:
  core::FileDescriptor descriptor_;
};

}  // namespace coppice::jobs
