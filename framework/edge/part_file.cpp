#include "edge/part_file.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "core/file_descriptor.h"

namespace coppice::edge {

void write_at(const std::filesystem::path& file, int64_t offset, std::span<const std::byte> bytes) {
  core::FileDescriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!descriptor) {
    throw core::file_error("write", file, errno);
  }
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor.get(), bytes.data(), bytes.size(), offset);
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(count));
      offset += count;
    } else if (errno != EINTR) {
      throw core::file_error("write", file, errno);
    }
  }
  if (const int error_number = descriptor.close(); error_number != 0) {
    throw core::file_error("write", file, error_number);
  }
}

int64_t size_of(const std::filesystem::path& file) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file, failed);
  return failed ? 0 : static_cast<int64_t>(size);
}

void remove_quietly(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    throw core::file_error("create", folder, failed.value());
  }
}

}  // namespace coppice::edge
