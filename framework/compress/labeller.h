#pragma once

#include <cstdint>

#include "compress/channel_labels.h"
#include "graph/graph.h"

namespace coppice::compress {

/// The walk behind label_channels: one rule per op, by what it does with channels.
class Labeller {
 public:
  explicit Labeller(const graph::Model& model) : model_(model) {}

  ChannelLabels run();

 private:
  /// The channels of a node's output, with what reading and making them ties together.
  Labels label(const graph::Node& node);

  // label_layers.cpp: layers that make channels.
  Labels label_conv(const graph::Node& node);
  Labels label_conv_transpose(const graph::Node& node);
  Labels label_gemm(const graph::Node& node);
  Labels label_batch_norm(const graph::Node& node);

  // label_moves.cpp: ops that put channels elsewhere.
  Labels label_flatten(const graph::Node& node);
  Labels label_reshape(const graph::Node& node);
  Labels label_concat(const graph::Node& node);

  // label_pairs.cpp: ops of two operands.
  Labels label_binary(const graph::Node& node);
  Labels label_with_constant(const graph::Node& node, size_t activation_index);
  Labels label_pair(const graph::Node& node);

  /// A node through which channels cannot be followed: all that touches it stays whole.
  Labels opaque(const graph::Node& node);

  const Labels& activation(const graph::Node& node, size_t i) const;
  bool is_weight(const graph::Node& node, size_t i) const;
  Labels fresh(int64_t count, bool pinned);
  void pin(const Labels& labels);
  void join(const Labels& a, const Labels& b);

  /// Channels at the same place of `parts` equal parts go together; returns those of the first
  /// part.
  Labels join_parts(const Labels& labels, int64_t parts);

  /// Dimension `dimension` of input `i` (a weight, if given at all) carries `labels`.
  void tie(const graph::Node& node,
           size_t i,
           size_t dimension,
           const Labels& labels,
           bool producer = false);

  const graph::Model& model_;
  ChannelLabels result_;
};

}  // namespace coppice::compress
