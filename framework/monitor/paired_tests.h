#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice::monitor {

/// Two ways of doing something, measured under the same conditions: seed by seed, fold by fold.
struct PairedTests {
  int64_t pairs = 0;
  double mean_difference = 0;  ///< second minus first
  double sd_difference = 0;    ///< unbiased
  double low = 0;              ///< 95 % confidence interval of the mean, by Student's t
  double high = 0;
  /// Cohen's d of paired data: the mean difference in its standard deviations. Infinite where every
  /// difference is the same but not 0.
  double effect = 0;
  double t = 0;
  double t_p = 1;         ///< two-sided paired t-test (Student, 1908)
  double wilcoxon_p = 1;  ///< see signed_rank_p
};

/// Throws Error{InvalidArgument} for lengths that differ or fewer than two pairs, Error{Numeric}
/// for a value that is not finite. Differences within rounding of each other count as equal.
PairedTests paired_tests(std::span<const double> first, std::span<const double> second);

/// Two-sided Wilcoxon signed-rank test (Wilcoxon, 1945): pairs without a difference are left out,
/// tied ones share their mean rank. Up to 50 of them the p-value is exact given the ties, by
/// counting sign patterns; above, by the normal approximation with corrections for ties and
/// continuity. n pairs cannot give less than 2^(1-n): 0.25 for 3, 0.0625 for 5.
double signed_rank_p(std::span<const double> differences);

/// Adjusts the p-values of several tests so that the chance of any false rejection stays below the
/// level that they are compared with (Holm, Scandinavian Journal of Statistics 1979). In the order
/// given.
std::vector<double> holm(std::span<const double> p_values);

/// Chance that |T| exceeds |t| for Student's distribution. REQUIRES: freedom > 0.
double student_t_p(double t, double freedom);

/// The |t| that is exceeded with chance `p`. REQUIRES: 0 < p < 1, freedom > 0.
double student_t_critical(double p, double freedom);

}  // namespace coppice::monitor
