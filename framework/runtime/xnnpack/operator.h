#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include <xnnpack.h>

namespace coppice::runtime::xnnpack {

/// Starts the library, once for the process. Thread-safe. Throws Error{Unsupported} for a CPU that
/// it lacks kernels for, std::bad_alloc.
void initialise();

struct DeleteOperator {
  void operator()(xnn_operator* made) const { xnn_delete_operator(made); }
};

/// One of XNNPACK's operators with its packed weights.
using Operator = std::unique_ptr<xnn_operator, DeleteOperator>;

inline constexpr uint32_t kNoFlags = 0;

/// Calls one of the xnn_create functions, whose last parameter is the new operator; empty where it
/// takes no such parameters. Throws std::bad_alloc.
template <class Create, class... Arguments>
Operator create(const Create& function, const Arguments&... arguments) {
  xnn_operator_t made = nullptr;
  const xnn_status status = function(arguments..., &made);
  if (status == xnn_status_out_of_memory) {
    throw std::bad_alloc();
  }
  return Operator(status == xnn_status_success ? made : nullptr);
}

struct DeleteThreads {
  void operator()(pthreadpool* pool) const { pthreadpool_destroy(pool); }
};

/// nullptr stands for the calling thread alone.
using Threads = std::unique_ptr<pthreadpool, DeleteThreads>;

/// Throws Error{Io} where the system gives no more threads.
Threads make_threads(size_t count);

}  // namespace coppice::runtime::xnnpack
