#pragma once

#include <cstdint>
#include <vector>

#include "core/fields.h"
#include "data/dataset.h"

namespace coppice::data {

/// Over which values of a sample one mean is taken.
enum class StandardiseScope {
  Channel,  ///< each channel of [channels, …], each feature of [features]
  Element,  ///< each value of a sample
  All,      ///< all values together
};

struct StandardiseOptions {
  StandardiseScope scope = StandardiseScope::Channel;
  double least_std = 1e-6;  ///< below it a value counts as constant and keeps its scale

  void visit(core::Fields& f);
};

/// What (x - mean) / std needs, in raw units (u8: 0…255).
struct Standardisation {
  std::vector<double> mean;  ///< per channel, per element in order, or one
  std::vector<double> std;   ///< of the population; 1 where the value is constant
  int64_t samples = 0;
};

/// Fits on the samples given, which must be the training part alone: what is fitted on more has
/// seen the test.
///
/// One pass that is stable far from zero: batches are summed about their own means and merged
/// (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983). Throws
/// Error{InvalidArgument} for an empty data set or a value that is not finite, naming the sample.
Standardisation fit_standardisation(const Dataset& training,
                                    const StandardiseOptions& options = {});

}  // namespace coppice::data
