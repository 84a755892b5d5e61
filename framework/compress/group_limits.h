#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "compress/group_map.h"
#include "compress/prune_options.h"

namespace coppice::compress {

/// Groups whose channels nodes of that name or pattern carry. Throws Error{InvalidArgument} naming
/// `field` where no node matches, or only such as carry no group's channels.
std::set<size_t> groups_matching(const graph::Model& model,
                                 const GroupMap& map,
                                 const std::string& field,
                                 const std::string& pattern);

/// How far one group can be cut.
struct GroupLimit {
  int64_t channels = 0;
  int64_t least = 0;        ///< channels that stay at least; all of them where none can go
  int64_t step = 1;         ///< what stays is a multiple of this where there are as many
  std::string reason = {};  ///< why not fewer, in words: "min_channels 4"

  /// `kept` channels, or so many more that the step is kept to.
  int64_t in_steps(int64_t kept) const;
};

/// What the options allow for a group of which at most `max_share` may go; `cap` names that limit.
GroupLimit limit_of(const ChannelGroup& group,
                    double max_share,
                    const PruneOptions& options,
                    const std::string& cap = "max_share_per_group");

/// Of every group, with exclusions and caps. Throws Error{InvalidArgument} for a name or a pattern
/// that no node matches, or only nodes without channels of a group.
std::vector<GroupLimit> limits_of(const graph::Model& model,
                                  const GroupMap& map,
                                  const PruneOptions& options);

}  // namespace coppice::compress
