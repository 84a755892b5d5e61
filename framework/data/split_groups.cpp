#include <algorithm>
#include <map>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "core/error.h"
#include "data/split.h"
#include "data/split_shares.h"

namespace coppice::data {

namespace {

/// The part that lacks most, among those without a group as long as there are such and no more
/// groups than they need.
size_t neediest(const std::vector<int64_t>& lacking,
                const std::vector<bool>& empty,
                bool only_empty) {
  size_t best = lacking.size();
  for (size_t i = 0; i < lacking.size(); ++i) {
    if ((!only_empty || empty[i]) && (best == lacking.size() || lacking[i] > lacking[best])) {
      best = i;
    }
  }
  return best;
}

}  // namespace

std::vector<std::vector<int64_t>> grouped_split(const std::vector<std::string>& groups,
                                                const std::vector<double>& shares,
                                                core::Rng rng) {
  std::vector<int64_t> lacking = sizes_of_shares(static_cast<int64_t>(groups.size()), shares);
  std::map<std::string, std::vector<int64_t>> members;
  for (size_t i = 0; i < groups.size(); ++i) {
    members[groups[i]].push_back(static_cast<int64_t>(i));
  }
  if (members.size() < shares.size()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{} groups for {} parts: a part would be empty; split into fewer",
                                  members.size(),
                                  shares.size()));
  }
  std::vector<const std::vector<int64_t>*> order;
  for (const auto& [name, indices] : members) {
    order.push_back(&indices);
  }
  rng.shuffle(std::span(order));
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->size() > b->size();
  });
  // What the shares leave of 1 is a part like the others, which nobody gets.
  const int64_t used = std::accumulate(lacking.begin(), lacking.end(), int64_t{0});
  lacking.push_back(static_cast<int64_t>(groups.size()) - used);
  std::vector<std::vector<int64_t>> parts(lacking.size());
  std::vector<bool> empty(lacking.size(), true);
  empty.back() = false;
  size_t empty_parts = shares.size();
  for (size_t g = 0; g < order.size(); ++g) {
    const size_t part = neediest(lacking, empty, order.size() - g <= empty_parts);
    parts[part].insert(parts[part].end(), order[g]->begin(), order[g]->end());
    lacking[part] -= static_cast<int64_t>(order[g]->size());
    empty_parts -= empty[part] ? 1 : 0;
    empty[part] = false;
  }
  parts.pop_back();
  for (std::vector<int64_t>& part : parts) {
    std::sort(part.begin(), part.end());
  }
  return parts;
}

}  // namespace coppice::data
