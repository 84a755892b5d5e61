#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/engine.h"

namespace coppice::runtime {

struct Latency {
  double median_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  int64_t runs = 0;
  double mean_us = 0;
};

/// How `run` is timed: on zeros of the model's input shape, one input of `batch` samples.
struct ProfileOptions {
  int64_t runs = 200;
  int64_t warm_up = 20;  ///< runs before them
  int64_t batch = 1;     ///< REQUIRES: at most the engine's max_batch
};

/// Microseconds of each run. Throws Error{InvalidArgument} for no run or a batch below 1.
std::vector<double> time_runs(Engine& engine, const ProfileOptions& options = {});

/// REQUIRES: at least one time.
Latency summarise(std::span<const double> micros);

/// Times `run` with batch 1: `warm_up` runs, then `runs` timed ones.
Latency measure_latency(Engine& engine, int64_t runs = 200, int64_t warm_up = 20);

/// The steps of a run in order, each with the median of its times. Their sum is a little more than
/// a run takes, since a clock is read between them.
std::vector<StepTime> measure_steps(Engine& engine, const ProfileOptions& options = {});

}  // namespace coppice::runtime
