#pragma once

#include <string>
#include <vector>

#include "compress/budget.h"
#include "compress/criteria.h"
#include "compress/prune_options.h"
#include "compress/statistics.h"
#include "graph/graph.h"

namespace coppice::compress {

/// What a pruning reads besides model and options.
struct PruneInputs {
  const Statistics* statistics = nullptr;   ///< for criteria that need data
  const graph::Model* reference = nullptr;  ///< what ratios relate to, the model before earlier
                                            ///< steps; null: the model itself
  Meter meter = {};                         ///< in place of the target's own
};

struct PruneReport {
  struct Row {
    std::string group;
    int64_t before = 0;  ///< channels; of a group's parts together
    int64_t after = 0;
  };

  std::vector<Row> rows;
  int64_t macs_before = 0;
  int64_t macs_after = 0;
  std::string metric = {};  ///< of the target
  double cost_before = 0;   ///< in its unit, of what the ratio relates to
  double cost_after = 0;
};

/// Removes the least important channels until the target is met: the fewest that do (see
/// least_count); none for a ratio of 1, or where earlier steps met it. Throws
/// Error{InvalidArgument} when nothing can be pruned, when the target can't be met within the caps
/// (naming what is reachable and what stands in the way) or is a value that the reference meets,
/// for a schedule of several steps (see targets_of), when an excluded or capped name matches no
/// node, or when the criterion lacks data.
graph::Model prune(const graph::Model& model,
                   const PruneOptions& options,
                   PruneReport* report = nullptr,
                   const PruneInputs& inputs = {});

}  // namespace coppice::compress
