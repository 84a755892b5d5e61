#include "train/process_setup.h"

#include <algorithm>
#include <limits>

#include <ATen/Parallel.h>
#include <malloc.h>
#include <omp.h>
#include <stdlib.h>  // NOLINT: setenv is POSIX
#include <unistd.h>

#include "jobs/machine.h"

/// Null where libtorch multiplies with another library.
extern "C" void openblas_set_num_threads(int count) __attribute__((weak));

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

int threads_to_train_with(int64_t asked, int64_t batch_macs, int64_t ranks_here) {
  constexpr int64_t kMacsThatKeepAThreadBusy = 50'000'000;
  if (asked > 0) {
    return static_cast<int>(asked);
  }
  const int64_t available = std::max<int64_t>(1, ::omp_get_max_threads() / ranks_here);
  return static_cast<int>(std::clamp<int64_t>(batch_macs / kMacsThatKeepAThreadBusy, 1, available));
}

void use_threads(int threads) {
  at::set_num_threads(threads);
  if (openblas_set_num_threads != nullptr) {
    openblas_set_num_threads(threads);
  }
}

}  // namespace coppice::train
