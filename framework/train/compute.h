#pragma once

#include <cstdint>
#include <string>

#include <c10/core/Device.h>

#include "recipe/recipe.h"

namespace coppice::train {

/// What this machine and this libtorch can do.
struct Machine {
  int64_t gpus = 0;
  bool multiplies_bfloat16 = false;  ///< the CPU
};

Machine this_machine();

/// What a run computes with.
struct Compute {
  int64_t gpu = -1;  ///< -1: the CPU
  bool bfloat16 = false;
  std::string notice = {};  ///< what "auto" had to do without, in words

  at::Device device() const;

  std::string_view device_name() const { return gpu < 0 ? "cpu" : "cuda"; }

  std::string_view precision_name() const { return bfloat16 ? "bfloat16" : "float32"; }
};

/// By options.device and options.precision. Ranks of one machine take its GPUs in turn.
///
/// Throws Error{Unsupported} for a device or a precision that was asked for by name and is not
/// there.
Compute choose_compute(const recipe::TrainOptions& options,
                       const Machine& machine,
                       int64_t local_rank = 0);

}  // namespace coppice::train
