#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::compress {

struct PruneOptions;

/// Pruning in several steps, each recovered from before the next.
struct ScheduleOptions {
  int64_t steps = 1;
  std::string curve = "polynomial";  ///< "polynomial", "linear"
  double power = 3;                  ///< of the polynomial: larger cuts more in the first steps

  void visit(core::Fields& f);
};

/// Ratios to the unpruned model's cost after each step, falling to `last`: 1 - (1 - last) x
/// (1 - (1 - t / steps)^power), t = 1 … steps (Zhu and Gupta, 2017, with the cost that goes for
/// their sparsity); linear has power 1.
std::vector<double> ratios(const ScheduleOptions& schedule, double last);

/// The targets of the steps one after the other: `options` with a ratio each, of the unpruned
/// model, which a prune job takes as its input "reference". `before` is the unpruned model's cost
/// in the target's metric, read only where the target is a value. Throws Error{InvalidArgument} for
/// less than one step, and for a value without `before` or above it.
std::vector<PruneOptions> targets_of(const PruneOptions& options, double before = 0);

}  // namespace coppice::compress
