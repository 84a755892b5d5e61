#include "data/split_shares.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::data {

namespace {

[[noreturn]] void refuse_shares(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, message);
}

}  // namespace

std::vector<int64_t> sizes_of_shares(int64_t samples, const std::vector<double>& shares) {
  if (shares.empty()) {
    refuse_shares("a split without parts: name at least one");
  }
  for (const double share : shares) {
    if (!(share > 0)) {
      refuse_shares(fmt::format("a part with a share of {}: shares must be above 0", share));
    }
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  constexpr double kRounding = 1e-9;  // 0.7 + 0.2 + 0.1 is not quite 1
  if (!(sum <= 1 + kRounding)) {
    refuse_shares(
        fmt::format("shares of {} sum to {}: more than the whole", fmt::join(shares, " + "), sum));
  }
  std::vector<int64_t> sizes;
  std::vector<std::pair<double, size_t>> remainders;
  for (size_t i = 0; i < shares.size(); ++i) {
    const double exact = shares[i] * static_cast<double>(samples);
    sizes.push_back(static_cast<int64_t>(std::floor(exact + kRounding)));
    remainders.emplace_back(static_cast<double>(sizes.back()) - exact, i);
  }
  std::stable_sort(remainders.begin(), remainders.end());
  const auto wanted = std::min<int64_t>(samples, std::llround(sum * static_cast<double>(samples)));
  int64_t missing = wanted - std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  for (const auto& [remainder, i] : remainders) {
    if (missing > 0) {
      ++sizes[i];
      --missing;
    }
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 1) {
      refuse_shares(fmt::format("part {} of a split would be empty: a share of {} of {} samples",
                                i + 1,
                                shares[i],
                                samples));
    }
  }
  return sizes;
}

}  // namespace coppice::data
