#pragma once

#include <cstdint>
#include <vector>

namespace coppice::data {

/// Goods (images of classes that may go to the same places) to be brought to places (kinds of days,
/// of several slots each).
struct Supply {
  std::vector<int64_t> amounts;            ///< of each good
  std::vector<int64_t> slots;              ///< of each place; positive
  std::vector<std::vector<bool>> allowed;  ///< [good][place]; every good has a place
};

/// How much of each good goes to each place: [good][place]. All of every good is brought.
///
/// The slots' loads are as even as what is allowed permits: no unit could move, directly or through
/// other places, so that the fullest slot of one place and the emptiest of another come closer.
/// Under these loads the mix has maximum entropy (iterative proportional fitting: Deming and
/// Stephan, 1940), up to rounding.
std::vector<std::vector<int64_t>> balance(const Supply& supply);

}  // namespace coppice::data
