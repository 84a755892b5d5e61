#include "compress/labeller.h"

namespace coppice::compress {

using graph::Node;

Labels Labeller::label_binary(const Node& node) {
  const bool first = is_weight(node, 0);
  const bool second = is_weight(node, 1);
  if (first && second) {
    return opaque(node);
  }
  return first || second ? label_with_constant(node, first ? 1 : 0) : label_pair(node);
}

Labels Labeller::label_with_constant(const Node& node, size_t activation_index) {
  const size_t constant_index = 1 - activation_index;
  const Labels labels = activation(node, activation_index);
  const graph::Shape& constant = model_.weight(node.inputs[constant_index]).shape();
  const auto rank = std::ssize(node.shape);
  if (rank != std::ssize(model_.graph.at(node.inputs[activation_index]).shape) ||
      channels_of(node) != std::ssize(labels)) {
    return opaque(node);  // the constant widens the activation
  }
  const auto dimension = kChannelAxis - (rank - std::ssize(constant));
  if (dimension >= 0 && constant[static_cast<size_t>(dimension)] != 1) {
    tie(node, constant_index, static_cast<size_t>(dimension), labels);
  }
  return labels;
}

Labels Labeller::label_pair(const Node& node) {
  const Labels a = activation(node, 0);
  const Labels b = activation(node, 1);
  const auto rank = node.shape.size();
  if (model_.graph.at(node.inputs[0]).shape.size() != rank ||
      model_.graph.at(node.inputs[1]).shape.size() != rank) {
    return opaque(node);
  }
  if (a.size() == b.size()) {
    join(a, b);
    return a;
  }
  pin(a.size() == 1 ? a : b);  // one channel that is spread over all of the other's
  return a.size() == 1 ? b : a;
}

}  // namespace coppice::compress
