#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <xnnpack.h>

namespace coppice::runtime::xnnpack {

/// Starts the library, once for the process. Throws Error{Unsupported} for a CPU that it lacks
/// kernels for.
void initialise();

struct DeleteOperator {
  void operator()(xnn_operator* made) const { xnn_delete_operator(made); }
};

/// One of XNNPACK's operators with its packed weights.
using Operator = std::unique_ptr<xnn_operator, DeleteOperator>;

/// Calls one of the xnn_create functions, whose last parameter is the new operator; empty where it
/// takes no such parameters.
template <class Create, class... Arguments>
Operator create(const Create& function, const Arguments&... arguments) {
  xnn_operator_t made = nullptr;
  return Operator(function(arguments..., &made) == xnn_status_success ? made : nullptr);
}

struct DeleteThreads {
  void operator()(pthreadpool* pool) const { pthreadpool_destroy(pool); }
};

/// nullptr stands for the calling thread alone.
using Threads = std::unique_ptr<pthreadpool, DeleteThreads>;

Threads make_threads(size_t count);

}  // namespace coppice::runtime::xnnpack
