#pragma once

#include <string>
#include <vector>

#include "compress/channels.h"
#include "core/fields.h"
#include "core/registry.h"
#include "graph/graph.h"

namespace coppice::compress {

struct PruneOptions {
  std::string criterion = "l2";       ///< see criteria()
  double macs_ratio = 0.5;            ///< target: MACs after / before, at most
  double max_share_per_group = 0.85;  ///< never cut more of one group
  int64_t min_channels = 4;
  int64_t round_to = 1;                   ///< keep a multiple of this where a group has as many
  std::vector<std::string> exclude = {};  ///< names of nodes whose groups stay whole

  void visit(core::Fields& f);
};

/// One score per channel of a group, higher = more important.
using Criterion = std::vector<double> (*)(const graph::Model&, const ChannelGroup&);

/// "l1", "l2", "geometric_median", "bn_scale", "random": criteria.h tells each one and its paper.
const core::Registry<Criterion>& criteria();

struct PruneReport {
  struct Row {
    std::string group;
    int64_t before = 0;
    int64_t after = 0;
  };

  std::vector<Row> rows;
  int64_t macs_before = 0;
  int64_t macs_after = 0;
};

/// Removes the least important channels, globally ranked, until the MACs are at or under the
/// target. Throws Error{InvalidArgument} when nothing can be pruned, the target can't be met within
/// the caps, or an excluded name matches no node.
graph::Model prune(const graph::Model& model,
                   const PruneOptions& options,
                   PruneReport* report = nullptr);

}  // namespace coppice::compress
