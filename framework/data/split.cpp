#include "data/split.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/error.h"
#include "data/apportion.h"

namespace coppice::data {

namespace {

void check_sizes(const std::vector<int64_t>& sizes, int64_t available) {
  int64_t total = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 1) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("part {} of a split would have {} samples", i + 1, sizes[i]));
    }
    // Compared before it is added: the sum of absurd sizes must not overflow.
    if (sizes[i] > available - total) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("a split into parts of {} samples: there are {}",
                                    fmt::join(sizes, " + "),
                                    available));
    }
    total += sizes[i];
  }
}

}  // namespace

std::vector<std::vector<int64_t>> stratified_split(const Dataset& dataset,
                                                   const std::vector<int64_t>& sizes,
                                                   core::Rng rng) {
  check_sizes(sizes, dataset.size());
  std::map<int64_t, std::vector<int64_t>> by_label;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    by_label[dataset.label(i)].push_back(i);
  }
  std::vector<int64_t> shares;
  std::vector<int64_t> left;
  std::vector<std::vector<int64_t>> pools;
  for (auto& [label, indices] : by_label) {
    rng.shuffle(std::span<int64_t>(indices));
    shares.push_back(static_cast<int64_t>(indices.size()));
    left.push_back(static_cast<int64_t>(indices.size()));
    pools.push_back(std::move(indices));
  }
  std::vector<std::vector<int64_t>> parts;
  for (const int64_t size : sizes) {
    const std::vector<int64_t> quotas = apportion(size, shares, left);
    std::vector<int64_t>& part = parts.emplace_back();
    for (size_t c = 0; c < pools.size(); ++c) {
      const auto first = pools[c].end() - static_cast<std::ptrdiff_t>(quotas[c]);
      part.insert(part.end(), first, pools[c].end());
      pools[c].erase(first, pools[c].end());
      left[c] -= quotas[c];
    }
    rng.shuffle(std::span<int64_t>(part));
  }
  return parts;
}

std::vector<int64_t> with_classes(const Dataset& dataset, const std::vector<int64_t>& classes) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (std::find(classes.begin(), classes.end(), dataset.label(i)) != classes.end()) {
      indices.push_back(i);
    }
  }
  return indices;
}

}  // namespace coppice::data
