#include "jobs/file_lock.h"

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "core/interrupt.h"
#include "core/log.h"

namespace coppice::jobs {

FileLock::FileLock(const std::filesystem::path& file)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (!descriptor_) {
    throw core::file_error("lock", file, errno);
  }
  bool told = false;
  while (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      throw core::file_error("lock", file, errno);
    }
    core::throw_if_interrupted();
    if (!std::exchange(told, true)) {
      core::log_info(fmt::format("waiting for another process that holds '{}'", file.string()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace coppice::jobs
