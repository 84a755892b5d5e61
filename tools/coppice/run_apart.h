#pragma once

#include <functional>
#include <string>

namespace coppice::tools {

/// Runs `work` in a child process (a fork) and returns what it returned there: its peak memory is
/// its own, and a crash ends only the child. An Error of the child's is thrown here with its kind;
/// Error{Internal} names the signal that killed it. REQUIRES: this process has one thread.
std::string run_apart(const std::function<std::string()>& work);

/// Largest resident memory of this process so far.
int64_t peak_memory_bytes();

}  // namespace coppice::tools
