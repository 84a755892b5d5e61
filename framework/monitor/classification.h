#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "monitor/confusion.h"

namespace coppice::monitor {

struct ClassScore {
  double precision = 0;  ///< 0 where the class is never predicted
  double recall = 0;     ///< 0 where the class has no sample
  double f1 = 0;         ///< harmonic mean of the two; 0 where both are
  int64_t support = 0;   ///< samples of the class
};

struct ClassScores {
  std::vector<ClassScore> classes;
  /// Plain mean over the classes that occur or are predicted; `support` is the sum.
  ClassScore macro;
  /// Mean weighted by support: what a sample drawn at random meets.
  ClassScore weighted;
};

ClassScores class_scores(const Confusion& confusion);

/// The functions below take one row per sample, one column per class, row-major, and a true class
/// per row. All throw Error{InvalidArgument} without samples, for a size that is no multiple of
/// their number, a class outside [0, columns) or a value that is no number.

/// Share of rows whose true class is among their `k` largest values; of equal values the lower
/// class counts as larger, as for an arg-max.
double top_k_accuracy(std::span<const double> scores, std::span<const int64_t> truth, int64_t k);

/// softmax of each row.
std::vector<double> softmax(std::span<const double> logits, std::span<const int64_t> truth);

/// Mean cross entropy in nats, from logits, so that no probability underflows to zero.
double negative_log_likelihood(std::span<const double> logits, std::span<const int64_t> truth);

/// Mean squared distance of the probabilities from the one-hot truth, summed over classes (Brier,
/// Monthly Weather Review 1950): in [0, 2], and for two classes twice the binary score.
double brier_score(std::span<const double> probabilities, std::span<const int64_t> truth);

}  // namespace coppice::monitor
