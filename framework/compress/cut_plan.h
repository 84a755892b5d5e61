#pragma once

#include <cstdint>
#include <vector>

#include "compress/group_limits.h"
#include "compress/prune_options.h"

namespace coppice::compress {

/// Channels of all groups in the order in which they go, and what remains after any number of them
/// went.
///
/// Pure: scores in, indices out.
class CutPlan {
 public:
  struct Ranking {
    PruneScope scope = PruneScope::Global;
    bool comparable = false;  ///< see Criterion
  };

  /// `scores[g]` holds one score per channel of group g, lower = cut earlier, or nothing for a
  /// group that stays whole. Globally, scores are divided by their group's mean, so that wide and
  /// narrow layers compete on even terms, unless they are comparable; per layer, what counts is the
  /// share of the group that is gone with the channel.
  CutPlan(std::vector<GroupLimit> limits,
          const std::vector<std::vector<double>>& scores,
          const Ranking& ranking);

  /// How many channels can go at most.
  int64_t size() const { return static_cast<int64_t>(order_.size()); }

  /// What every group keeps, ascending, after the first `count` went. Never more for a larger
  /// `count`.
  std::vector<std::vector<int64_t>> keep(int64_t count) const;

 private:
  struct Entry {
    double rank;
    size_t group;
    int64_t channel;
  };

  std::vector<GroupLimit> limits_;
  std::vector<Entry> order_;
};

}  // namespace coppice::compress
