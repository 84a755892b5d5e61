#pragma once

#include <cstdint>
#include <vector>

namespace coppice::data {

/// Shares `total` out in proportion to `shares` by largest remainders (the earlier of equal ones
/// first), nobody getting more than `limits` allows; what a limit holds back goes to the others in
/// order of their remainders, one each in turn. REQUIRES: equally many non-negative shares, not all
/// zero, and limits; 0 <= `total` <= the sum of the limits.
std::vector<int64_t> apportion(int64_t total,
                               const std::vector<int64_t>& shares,
                               const std::vector<int64_t>& limits);

}  // namespace coppice::data
