#include "train/process_setup.h"

#include <limits>

#include <malloc.h>
#include <stdlib.h>  // NOLINT: setenv is POSIX
#include <unistd.h>

#include "jobs/machine.h"

namespace coppice::train {

void set_up_process(char** argv) {
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  ::mallopt(M_TOP_PAD, 64 << 20);

  const auto missing = jobs::job_environment();
  for (const auto& [name, value] : missing) {
    ::setenv(name.c_str(), value.c_str(), /*overwrite=*/0);
  }
  if (!missing.empty()) {
    ::execv("/proc/self/exe", argv);  // on failure: go on, only slower
  }
}

}  // namespace coppice::train
