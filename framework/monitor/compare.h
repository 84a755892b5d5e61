#pragma once

#include <cstdint>
#include <span>

namespace coppice::monitor {

/// Two models on the same samples.
struct PairedComparison {
  int64_t samples = 0;
  /// Right in the first, wrong in the second: negative flips of the second.
  int64_t first_only = 0;
  int64_t second_only = 0;
  double first_accuracy = 0;  ///< share; 0 without samples
  double second_accuracy = 0;
  double p_value = 1;  ///< see mcnemar_p_value
};

/// Predicted classes of both models against the true ones. Throws Error{InvalidArgument} for
/// lengths that differ.
PairedComparison compare_paired(std::span<const int64_t> truth,
                                std::span<const int64_t> first,
                                std::span<const int64_t> second);

/// Exact two-sided McNemar test (McNemar, 1947; binomial form): the chance, were both models
/// equally good, that the samples on which only one is right divide at least this unevenly. Summed
/// in log space: good to about 1e-6 relative for a billion discordant samples, and 0 only below the
/// least double. REQUIRES: counts of at least 0.
double mcnemar_p_value(int64_t first_only, int64_t second_only);

}  // namespace coppice::monitor
