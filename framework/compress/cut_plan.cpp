#include "compress/cut_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace coppice::compress {

namespace {

/// `kept` rounded up to the multiple that the options ask for, where the group has as many.
int64_t round_kept(int64_t kept, int64_t channels, const PruneOptions& options) {
  if (channels < options.round_to) {
    return kept;
  }
  const int64_t rounded = (kept + options.round_to - 1) / options.round_to * options.round_to;
  return std::min(rounded, channels);
}

}  // namespace

int64_t least_kept(int64_t channels, const PruneOptions& options) {
  const auto cuttable = static_cast<int64_t>(
      std::floor(options.max_share_per_group * static_cast<double>(channels) + 1e-9));
  const int64_t kept = std::max({options.min_channels, channels - cuttable, int64_t{1}});
  return round_kept(std::min(kept, channels), channels, options);
}

CutPlan::CutPlan(const std::vector<int64_t>& channels,
                 const std::vector<std::vector<double>>& scores,
                 const PruneOptions& options)
    : channels_(channels), options_(options) {
  for (size_t g = 0; g < channels.size(); ++g) {
    if (scores[g].empty()) {
      continue;
    }
    const double mean =
        std::accumulate(scores[g].begin(), scores[g].end(), 0.0) / static_cast<double>(channels[g]);
    std::vector<Entry> own;
    for (int64_t c = 0; c < channels[g]; ++c) {
      const double score = scores[g][static_cast<size_t>(c)];
      own.push_back({mean > 0 ? score / mean : score, g, c});
    }
    std::stable_sort(
        own.begin(), own.end(), [](const Entry& a, const Entry& b) { return a.score < b.score; });
    own.resize(static_cast<size_t>(channels[g] - least_kept(channels[g], options)));
    order_.insert(order_.end(), own.begin(), own.end());
  }
  std::sort(order_.begin(), order_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.score, a.group, a.channel) < std::tie(b.score, b.group, b.channel);
  });
}

std::vector<std::vector<int64_t>> CutPlan::keep(int64_t count) const {
  std::vector<std::vector<int64_t>> cut(channels_.size());  // lowest score first
  for (int64_t i = 0; i < count; ++i) {
    cut[order_[static_cast<size_t>(i)].group].push_back(order_[static_cast<size_t>(i)].channel);
  }
  std::vector<std::vector<int64_t>> kept(channels_.size());
  for (size_t g = 0; g < channels_.size(); ++g) {
    const int64_t wanted = channels_[g] - std::ssize(cut[g]);
    cut[g].resize(static_cast<size_t>(channels_[g] - round_kept(wanted, channels_[g], options_)));
    std::vector<bool> gone(static_cast<size_t>(channels_[g]), false);
    for (const int64_t c : cut[g]) {
      gone[static_cast<size_t>(c)] = true;
    }
    for (int64_t c = 0; c < channels_[g]; ++c) {
      if (!gone[static_cast<size_t>(c)]) {
        kept[g].push_back(c);
      }
    }
  }
  return kept;
}

}  // namespace coppice::compress
