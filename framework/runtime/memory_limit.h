#pragma once

#include "runtime/engine.h"

namespace coppice::runtime {

/// Throws Error{Unsupported} naming the largest activation when those that live together take more
/// than `options.memory_mb` for `options.max_batch` samples: an engine would take all of it at
/// once, and a small file can ask for terabytes. REQUIRES: shapes are inferred.
void require_memory(const graph::Model& model, const EngineOptions& options);

}  // namespace coppice::runtime
