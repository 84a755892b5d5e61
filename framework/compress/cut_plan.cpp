#include "compress/cut_plan.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "compress/criteria.h"

namespace coppice::compress {

CutPlan::CutPlan(std::vector<GroupLimit> limits,
                 const std::vector<std::vector<double>>& scores,
                 const Ranking& ranking)
    : limits_(std::move(limits)) {
  for (size_t g = 0; g < limits_.size(); ++g) {
    if (scores[g].empty()) {
      continue;
    }
    const auto channels = static_cast<double>(limits_[g].channels);
    const double mean = std::accumulate(scores[g].begin(), scores[g].end(), 0.0) / channels;
    const std::vector<int64_t> order = weakest_first(scores[g]);
    for (int64_t i = 0; i < limits_[g].channels - limits_[g].least; ++i) {
      const int64_t channel = order[static_cast<size_t>(i)];
      double rank = scores[g][static_cast<size_t>(channel)];
      if (ranking.scope == PruneScope::PerLayer) {
        rank = static_cast<double>(i + 1) / channels;
      } else if (!ranking.comparable && mean > 0) {
        rank /= mean;
      }
      order_.push_back({rank, g, channel});
    }
  }
  std::stable_sort(order_.begin(), order_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.rank, a.group) < std::tie(b.rank, b.group);
  });
}

std::vector<std::vector<int64_t>> CutPlan::keep(int64_t count) const {
  std::vector<std::vector<int64_t>> cut(limits_.size());  // lowest score first
  for (int64_t i = 0; i < count; ++i) {
    cut[order_[static_cast<size_t>(i)].group].push_back(order_[static_cast<size_t>(i)].channel);
  }
  std::vector<std::vector<int64_t>> kept(limits_.size());
  for (size_t g = 0; g < limits_.size(); ++g) {
    const int64_t channels = limits_[g].channels;
    const int64_t stay = limits_[g].in_steps(channels - std::ssize(cut[g]));
    cut[g].resize(static_cast<size_t>(channels - stay));
    std::vector<bool> gone(static_cast<size_t>(channels), false);
    for (const int64_t c : cut[g]) {
      gone[static_cast<size_t>(c)] = true;
    }
    for (int64_t c = 0; c < channels; ++c) {
      if (!gone[static_cast<size_t>(c)]) {
        kept[g].push_back(c);
      }
    }
  }
  return kept;
}

}  // namespace coppice::compress
