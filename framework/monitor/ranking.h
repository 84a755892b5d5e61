#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice::monitor {

/// How well a score ranks positives above negatives, whatever the threshold. `positive` is 0 or
/// not. All throw Error{InvalidArgument} for lengths that differ or a score that is NaN.

/// Area under the ROC curve: the chance that a positive scores above a negative, a tie counting
/// half (Mann and Whitney, 1947). NaN unless both kinds occur.
double auroc(std::span<const double> score, std::span<const uint8_t> positive);

/// Sum over the distinct scores, from the highest, of the gain in recall times the precision there:
/// no interpolation between them. NaN without a positive.
double average_precision(std::span<const double> score, std::span<const uint8_t> positive);

struct RocPoint {
  double false_positive_rate = 0;
  double true_positive_rate = 0;
  double threshold = 0;  ///< samples of this score and above count as positive
};

/// From (0, 0), whose threshold is infinite, to (1, 1), one point per distinct score, without those
/// on a straight line between their neighbours. Empty unless both kinds occur.
std::vector<RocPoint> roc_curve(std::span<const double> score, std::span<const uint8_t> positive);

/// Area under the ROC curve of each class against the rest, from a row of scores per sample;
/// NaN for a class without samples, or with all of them. Throws as the functions above, and for a
/// class outside [0, columns).
std::vector<double> one_vs_rest_auroc(std::span<const double> scores,
                                      std::span<const int64_t> truth);

/// Mean of the values that are numbers; NaN without one.
double mean_of_numbers(std::span<const double> values);

}  // namespace coppice::monitor
