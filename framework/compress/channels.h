#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::compress {

/// One weight dimension that is cut with a group's channels: channel c of the group is rows [offset
/// + c * block, offset + (c + 1) * block) of dimension `dimension` (block > 1 where a flatten
/// spreads a channel over features).
struct ChannelSlice {
  std::string node;  ///< the node that uses the weight
  std::string weight;
  size_t dimension = 0;
  int64_t offset = 0;
  int64_t block = 1;
  bool producer = false;  ///< the weight produces the channels (its output dimension), so its norm
                          ///< tells their importance
};

/// A Reshape that names the number of a group's channels, `block` of its own for each.
struct ChannelCount {
  std::string node;
  int64_t block = 1;
};

/// Channels that must be kept or cut together, found from the graph: through BN, activations,
/// pooling, residual adds, gates, concatenation, depthwise and grouped convolution, reshapes and
/// flatten into linear layers (DepGraph, Fang et al., CVPR 2023). The groups of a grouped
/// convolution are cut alike: one channel here is the same place in all of them, as in
/// Torch-Pruning.
struct ChannelGroup {
  std::string name;  ///< of its first producing node
  int64_t channels = 0;
  int64_t parts = 1;     ///< places at that node which make one channel: its convolution groups
  bool prunable = true;  ///< false when a channel must stay, as it reaches a model output or input
  std::vector<ChannelSlice> slices;
  std::vector<ChannelCount> counts = {};
};

/// Groups in graph order; every Conv or Gemm output channel belongs to exactly one. A layer whose
/// channels go different ways makes several, named "conv1[0:4]", "conv1[4:10]". Not prunable
/// besides: channels under a softmax, a single channel that is spread over others, channels that a
/// Slice of that axis counts or that a Reshape cuts across. REQUIRES: shapes are inferred. Throws
/// Error{InvalidArgument} for a quantised model.
std::vector<ChannelGroup> find_groups(const graph::Model& model);

/// Cuts channels: keeps `keep[g]` (ascending indices) of every group g. The result verifies.
/// Throws Error{InvalidArgument} for an empty or unsorted keep list or a group that is not
/// prunable.
graph::Model keep_channels(const graph::Model& model,
                           const std::vector<ChannelGroup>& groups,
                           const std::vector<std::vector<int64_t>>& keep);

}  // namespace coppice::compress
