#pragma once

#include <map>
#include <string>
#include <vector>

#include "compress/channels.h"

namespace coppice::compress {

/// The groups, and which of them each node's output carries.
struct GroupMap {
  std::vector<ChannelGroup> groups;
  std::map<std::string, std::vector<size_t>> groups_of_node;  ///< ascending indices into `groups`
};

/// As find_groups.
GroupMap map_groups(const graph::Model& model);

}  // namespace coppice::compress
