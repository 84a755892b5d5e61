#pragma once

#include <cstdint>
#include <vector>

namespace coppice::data {

/// Sizes of parts, by largest remainder; what the shares leave of 1 is not used.
///
/// Throws Error{InvalidArgument}: no shares, one that is not positive, more than 1 in sum, or a
/// part that would be empty.
std::vector<int64_t> sizes_of_shares(int64_t samples, const std::vector<double>& shares);

}  // namespace coppice::data
