#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::compress {

/// A node's output, and which channel of a group stands at every position of its channel axis (-1:
/// another group's).
struct Tap {
  std::string node;
  std::vector<int64_t> channels;
};

/// Where a group's channels can be observed.
struct GroupTaps {
  std::string group;
  int64_t channels = 0;
  /// Behind every layer that makes the channels, its batch norm and its activation: zero there and
  /// the channel is gone everywhere. A depthwise convolution makes none of its own.
  std::vector<Tap> made;
  /// What the next layers read, before pooling and flattening.
  std::vector<Tap> read;
};

/// Of every prunable group, in the order of find_groups. Throws as find_groups.
std::vector<GroupTaps> find_taps(const graph::Model& model);

}  // namespace coppice::compress
