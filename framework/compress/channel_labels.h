#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::compress {

/// Disjoint sets of channels. A set is pinned once any of its members is: it must stay whole.
class ChannelSets {
 public:
  size_t add(bool pinned);
  size_t root(size_t channel) const;
  void join(size_t a, size_t b);

  void pin(size_t channel) { pinned_[root(channel)] = true; }

  bool pinned(size_t channel) const { return pinned_[root(channel)]; }

  size_t size() const { return parent_.size(); }

 private:
  mutable std::vector<size_t> parent_;  // paths are halved by look-ups
  std::vector<bool> pinned_;
};

/// For every position along an activation's channel dimension (or a weight's dimension), the
/// channel it carries.
using Labels = std::vector<size_t>;

inline constexpr int64_t kChannelAxis = 1;

/// Positions along a node's channel axis; 0 where it has none.
int64_t channels_of(const graph::Node& node);

/// One weight dimension whose positions carry channels.
struct LabelledDimension {
  std::string weight;  ///< empty: the channels that a Reshape (the only node) gives the number of
  size_t dimension = 0;
  bool producer = false;
  std::vector<std::string> nodes;  ///< that use the weight, in graph order
  Labels labels;
};

/// Which channel stands where, found by walking the graph once (the propagation of DepGraph, Fang
/// et al., CVPR 2023, at the grain of single channels, so that concatenation, residual adds and
/// shared weights need no rules of their own).
struct ChannelLabels {
  ChannelSets sets;
  std::map<std::string, Labels> outputs;      ///< by node
  std::vector<LabelledDimension> dimensions;  ///< in order of first use
};

/// REQUIRES: shapes are inferred. Throws Error{InvalidArgument} for a quantised model.
ChannelLabels label_channels(const graph::Model& model);

}  // namespace coppice::compress
