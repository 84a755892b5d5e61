#include "data/apportion.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace coppice::data {

std::vector<int64_t> apportion(int64_t total,
                               const std::vector<int64_t>& shares,
                               const std::vector<int64_t>& limits) {
  using Wide = __int128;  // exact: a remainder off by rounding noise would change who gets one more
  const Wide sum = std::accumulate(shares.begin(), shares.end(), Wide{0});
  COPPICE_CHECK(sum > 0 && shares.size() == limits.size(), "shares to apportion by");
  std::vector<int64_t> quotas(shares.size());
  std::vector<Wide> remainders(shares.size());
  int64_t rest = total;
  for (size_t i = 0; i < shares.size(); ++i) {
    const Wide ideal = Wide{total} * shares[i];
    remainders[i] = ideal % sum;
    quotas[i] = std::min(static_cast<int64_t>(ideal / sum), limits[i]);
    rest -= quotas[i];
  }
  std::vector<size_t> order(shares.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return remainders[a] > remainders[b];
  });
  while (rest > 0) {
    const int64_t before = rest;
    for (const size_t i : order) {
      if (rest > 0 && quotas[i] < limits[i]) {
        ++quotas[i];
        --rest;
      }
    }
    COPPICE_CHECK(rest < before, "more to apportion than the limits allow");
  }
  return quotas;
}

}  // namespace coppice::data
