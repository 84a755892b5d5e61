#include "compress/budget.h"

namespace coppice::compress {

std::optional<int64_t> least_count(int64_t most,
                                   const std::function<double(int64_t)>& cost,
                                   double limit) {
  if (cost(most) > limit) {
    return std::nullopt;
  }
  int64_t low = 0;
  int64_t high = most;  // always within the limit
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (cost(middle) <= limit) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high;
}

}  // namespace coppice::compress
