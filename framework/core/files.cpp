#include "core/files.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file_descriptor.h"

namespace coppice::core {

namespace {

/// "" for a bare file name means the working folder.
std::filesystem::path folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

/// Beside the target, so that a rename suffices; unlike that of any other thread, process or host.
std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static const uint32_t token = std::random_device{}();
  static std::atomic<uint64_t> counter = 0;
  return folder_of(target) /
         fmt::format(
             ".{}.{}-{:08x}-{}.tmp", target.filename().string(), ::getpid(), token, counter++);
}

void write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& target) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(count));
    } else if (errno != EINTR) {
      throw file_error("write", target, errno);
    }
  }
}

void sync(int fd, const std::filesystem::path& target) {
  // Some file systems can't sync a folder and say EINVAL: there is nothing more to be done then.
  if (::fsync(fd) != 0 && errno != EINVAL) {
    throw file_error("write", target, errno);
  }
}

void sync_folder(const std::filesystem::path& target) {
  const FileDescriptor folder(
      ::open(folder_of(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    throw file_error("write", target, errno);
  }
  sync(folder.get(), target);
}

}  // namespace

Bytes read_file(const std::filesystem::path& file) {
  const FileDescriptor descriptor = open_for_reading(file);
  struct stat status = {};
  const bool sized = ::fstat(descriptor.get(), &status) == 0 && status.st_size > 0;
  // One more than the size: the read that meets the end needs room to be told so.
  Bytes bytes(sized ? static_cast<size_t>(status.st_size) + 1 : size_t{4096});
  size_t filled = 0;
  while (const size_t count = read_some(descriptor, std::span(bytes).subspan(filled), file)) {
    filled += count;
    if (filled == bytes.size()) {
      bytes.resize(2 * bytes.size());
    }
  }
  bytes.resize(filled);
  return bytes;
}

std::string read_text(const std::filesystem::path& file) {
  const Bytes bytes = read_file(file);
  return std::string(as_text(bytes));
}

void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  AtomicFile atomic(file);
  FileDescriptor descriptor(
      ::open(atomic.path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!descriptor) {
    throw file_error("write", file, errno);
  }
  write_all(descriptor.get(), bytes, file);
  if (const int error_number = descriptor.close(); error_number != 0) {
    throw file_error("write", file, error_number);
  }
  atomic.commit();
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  write_file(file, as_bytes(text));
}

AtomicFile::AtomicFile(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_beside(target_)) {}

AtomicFile::~AtomicFile() {
  if (!committed_) {
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::commit() {
  COPPICE_CHECK(!committed_, "an atomic file is committed once");
  FileDescriptor descriptor(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor) {
    throw file_error("write", target_, errno);
  }
  sync(descriptor.get(), target_);
  descriptor.close();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    throw file_error("write", target_, errno);
  }
  committed_ = true;
  sync_folder(target_);
}

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  std::string name = ((error ? std::filesystem::path("/tmp") : parent) / "coppice-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw file_error("create", name, errno);
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code
      ignored;  // a destructor has nobody to tell, and the system cleans this folder too
  std::filesystem::remove_all(path_, ignored);
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace coppice::core
