#include "core/file_descriptor.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace coppice::core {

int FileDescriptor::close() {
  const int fd = std::exchange(fd_, -1);
  if (fd < 0 || ::close(fd) == 0 || errno == EINTR) {
    return 0;  // Linux has closed it even where it says EINTR
  }
  return errno;
}

Error file_error(std::string_view action, const std::filesystem::path& file, int error_number) {
  const bool missing = error_number == ENOENT || error_number == ENOTDIR;
  return Error(
      missing ? ErrorKind::NotFound : ErrorKind::Io,
      fmt::format("can't {} '{}': {}", action, file.string(), std::strerror(error_number)));
}

FileDescriptor open_for_reading(const std::filesystem::path& file) {
  FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor) {
    throw file_error("read", file, errno);
  }
  return descriptor;
}

size_t read_some(const FileDescriptor& descriptor,
                 std::span<std::byte> buffer,
                 const std::filesystem::path& file) {
  while (true) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count >= 0) {
      return static_cast<size_t>(count);
    }
    if (errno != EINTR) {
      throw file_error("read", file, errno);
    }
  }
}

}  // namespace coppice::core
