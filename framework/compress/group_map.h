#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compress/channels.h"

namespace coppice::compress {

/// A channel by its group.
struct ChannelPlace {
  size_t group = 0;
  int64_t channel = 0;

  bool operator==(const ChannelPlace&) const = default;
};

/// The groups, and which of them each node's output carries.
struct GroupMap {
  std::vector<ChannelGroup> groups;
  /// For every position along the channel axis of a node's output; nothing where that is no group's
  /// (an input's channel, say).
  std::map<std::string, std::vector<std::optional<ChannelPlace>>> channels_of_node;
  std::map<std::string, std::vector<size_t>> groups_of_node;  ///< ascending indices into `groups`
};

/// As find_groups.
GroupMap map_groups(const graph::Model& model);

}  // namespace coppice::compress
