#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "data/split.h"
#include "data/split_shares.h"

namespace coppice::data {

namespace {

std::optional<std::vector<double>> numbers_of(const std::vector<std::string>& times) {
  std::vector<double> numbers;
  for (const std::string& time : times) {
    const char* end = time.data() + time.size();
    const auto [stop, error] = std::from_chars(time.data(), end, numbers.emplace_back());
    if (error != std::errc() || stop != end) {
      return std::nullopt;
    }
  }
  return numbers;
}

/// Ranks: equal for equal times.
template <class Time>
std::vector<int64_t> ranks_of(const std::vector<Time>& times) {
  std::vector<Time> sorted = times;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> ranks;
  for (const Time& time : times) {
    ranks.push_back(std::lower_bound(sorted.begin(), sorted.end(), time) - sorted.begin());
  }
  return ranks;
}

std::vector<int64_t> time_ranks(const std::vector<std::string>& times, int64_t samples) {
  if (times.empty()) {
    std::vector<int64_t> positions(static_cast<size_t>(samples));
    std::iota(positions.begin(), positions.end(), int64_t{0});
    return positions;
  }
  const auto numbers = numbers_of(times);
  return numbers ? ranks_of(*numbers) : ranks_of(times);
}

}  // namespace

std::vector<std::vector<int64_t>> ordered_split(const std::vector<std::string>& times,
                                                int64_t samples,
                                                const std::vector<double>& shares) {
  if (!times.empty() && static_cast<int64_t>(times.size()) != samples) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{} times for {} samples", times.size(), samples));
  }
  const std::vector<int64_t> sizes = sizes_of_shares(samples, shares);
  const std::vector<int64_t> ranks = time_ranks(times, samples);
  std::vector<int64_t> order(static_cast<size_t>(samples));
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto rank = [&](int64_t i) {
    return ranks[static_cast<size_t>(i)];
  };
  std::stable_sort(
      order.begin(), order.end(), [&](int64_t a, int64_t b) { return rank(a) < rank(b); });
  std::vector<std::vector<int64_t>> parts;
  auto start = order.begin();
  int64_t planned = 0;
  for (const int64_t size : sizes) {
    planned += size;
    auto end = std::max(start, order.begin() + planned);
    while (end != start && end != order.end() && rank(*end) == rank(*(end - 1))) {
      ++end;
    }
    if (end == start) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("part {} of a split by time would be empty: too many samples "
                                    "have one time; order by another column or by position",
                                    parts.size() + 1));
    }
    parts.emplace_back(start, end);
    start = end;
  }
  return parts;
}

}  // namespace coppice::data
