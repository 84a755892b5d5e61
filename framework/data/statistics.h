#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace coppice::data {

/// Recorded with every data-set version.
struct Statistics {
  int64_t samples = 0;
  std::vector<int64_t> class_counts;
  std::vector<double> mean;  ///< per channel (or feature), raw units
  std::vector<double> std;   ///< of the population, in the same order
  double min = 0;
  double max = 0;
  std::vector<double> target_mean = {};  ///< per regression target
  std::vector<double> target_std = {};   ///< of the population
};

/// Throws Error{InvalidArgument} for an empty data set or a non-finite value (naming the sample).
Statistics compute_statistics(const Dataset& dataset);

/// The same of samples that were read already.
Statistics compute_statistics(const Schema& schema, const Batch& batch);

}  // namespace coppice::data
