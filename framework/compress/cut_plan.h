#pragma once

#include <cstdint>
#include <vector>

#include "compress/prune.h"

namespace coppice::compress {

/// The fewest channels of a group of `channels` that the options let remain (all of them when it
/// cannot be cut).
int64_t least_kept(int64_t channels, const PruneOptions& options);

/// Channels of all groups in the order in which they go, and what remains after any number of them
/// went.
///
/// Pure: scores in, indices out.
class CutPlan {
 public:
  /// `scores[g]` holds one score per channel of group g, lower = cut earlier, or nothing for a
  /// group that stays whole. Scores are divided by their group's mean, so that wide and narrow
  /// layers compete on even terms.
  CutPlan(const std::vector<int64_t>& channels,
          const std::vector<std::vector<double>>& scores,
          const PruneOptions& options);

  /// How many channels can go at most.
  int64_t size() const { return static_cast<int64_t>(order_.size()); }

  /// What every group keeps, ascending, after the first `count` went. Never more for a larger
  /// `count`.
  std::vector<std::vector<int64_t>> keep(int64_t count) const;

 private:
  struct Entry {
    double score;
    size_t group;
    int64_t channel;
  };

  std::vector<int64_t> channels_;
  PruneOptions options_;
  std::vector<Entry> order_;
};

}  // namespace coppice::compress
