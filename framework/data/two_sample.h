#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice::data {

/// Population stability index (Siddiqi, "Credit Risk Scorecards", 2006): the sum over bins of
/// (q - p) ln(q / p), p and q the shares before and after; 0 for equal shares. Below 0.1 counts as
/// stable, from 0.25 on as a major shift. Shares below 1e-4 count as 1e-4, so that it stays finite.
///
/// REQUIRES: equally many shares, not none.
double population_stability(std::span<const double> before, std::span<const double> after);

/// The same of samples, in bins between the quantiles of `before`. REQUIRES: finite values, none
/// empty, `bins` of at least 2.
double population_stability(std::vector<double> before,
                            const std::vector<double>& after,
                            int64_t bins);

/// Two-sample Kolmogorov-Smirnov test.
struct KolmogorovSmirnov {
  double distance = 0;  ///< largest difference of the two empirical distribution functions
  double p_value = 1;  ///< two-sided, of the limiting distribution with Stephens' correction (1970)
};

/// REQUIRES: finite values, none empty.
KolmogorovSmirnov kolmogorov_smirnov(std::vector<double> before, std::vector<double> after);

}  // namespace coppice::data
