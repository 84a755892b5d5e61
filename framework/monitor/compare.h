#pragma once

#include <cstdint>
#include <span>

namespace coppice::monitor {

/// Two models on the same samples.
struct PairedComparison {
  int64_t samples = 0;
  int64_t first_only = 0;           ///< right in the first, wrong in the second: negative flips of the second
  int64_t second_only = 0;
  double first_accuracy = 0;
  double second_accuracy = 0;
  double p_value = 1;               ///< exact McNemar test, two-sided (McNemar, 1947; binomial form)
};

/// REQUIRES: equal lengths.
PairedComparison compare_paired(std::span<const int64_t> truth, std::span<const int64_t> first, std::span<const int64_t> second);

}  // namespace coppice::monitor
