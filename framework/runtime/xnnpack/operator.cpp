#include "runtime/xnnpack/operator.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/error.h"
#include "runtime/program.h"

namespace coppice::runtime::xnnpack {

using core::Error;
using core::ErrorKind;

void initialise() {
  static const xnn_status status = xnn_initialize(nullptr);
  if (status == xnn_status_out_of_memory) {
    throw std::bad_alloc();
  }
  if (status != xnn_status_success) {
    throw Error(ErrorKind::Unsupported,
                "XNNPACK has no kernels for this CPU; backend 'reference' runs on it");
  }
}

Threads make_threads(size_t count) {
  if (count <= 1) {
    return nullptr;
  }
  Threads threads(pthreadpool_create(count));
  if (!threads) {
    throw Error(ErrorKind::Io, fmt::format("XNNPACK can't start {} threads; ask for fewer", count));
  }
  return threads;
}

/// XNNPACK has no version of its own: the file that it was loaded from, by size and time.
std::string library_version() {
  Dl_info info{};

  struct stat file {};

  if (dladdr(reinterpret_cast<const void*>(&xnn_initialize), &info) == 0 ||
      stat(info.dli_fname, &file) != 0) {
    return "";
  }
  return fmt::format("{} {} {}", info.dli_fname, file.st_size, file.st_mtim.tv_sec);
}

}  // namespace coppice::runtime::xnnpack
