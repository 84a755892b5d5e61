#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace coppice::core {

/// Owns a POSIX file descriptor; -1 is none.
class FileDescriptor {
 public:
  FileDescriptor() = default;

  explicit FileDescriptor(int fd) : fd_(fd) {}

  ~FileDescriptor() { close(); }

  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  int get() const { return fd_; }

  explicit operator bool() const { return fd_ >= 0; }

  /// Returns 0 or errno: a full network disk may be told of only here.
  int close();

 private:
  int fd_ = -1;
};

/// "can't <action> '<file>': <reason>": NotFound where a part of the path does not exist, Io
/// otherwise.
Error file_error(std::string_view action, const std::filesystem::path& file, int error_number);

/// Throws Error{NotFound, Io}, the latter for a folder too.
FileDescriptor open_for_reading(const std::filesystem::path& file);

/// Bytes read, 0 at the end. Throws Error{Io}.
size_t read_some(const FileDescriptor& descriptor,
                 std::span<std::byte> buffer,
                 const std::filesystem::path& file);

}  // namespace coppice::core
