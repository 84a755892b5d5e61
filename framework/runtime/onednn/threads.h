#pragma once

#include "runtime/onednn/library.h"

namespace coppice::runtime::onednn {

/// OpenMP's setting of the calling thread.
inline int current_threads() {
  return omp_get_max_threads();
}

/// oneDNN takes the number of threads from OpenMP's setting of the calling thread, both when it
/// makes a primitive and when it runs one. With 1 it starts none.
class ThreadScope {
 public:
  explicit ThreadScope(int threads) : before_(current_threads()) { omp_set_num_threads(threads); }

  ~ThreadScope() { omp_set_num_threads(before_); }

  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace coppice::runtime::onednn
