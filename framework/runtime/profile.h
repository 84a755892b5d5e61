#pragma once

#include <cstdint>

#include "runtime/engine.h"

namespace coppice::runtime {

struct Latency {
  double median_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  int64_t runs = 0;
};

/// Times `run` with batch 1 on zeros of the model's input shape: `warm_up` runs, then `runs` timed
/// ones.
Latency measure_latency(Engine& engine, int64_t runs = 200, int64_t warm_up = 20);

}  // namespace coppice::runtime
