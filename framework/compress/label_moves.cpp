#include "compress/labeller.h"

namespace coppice::compress {

using graph::Node;

Labels Labeller::label_flatten(const Node& node) {
  const Labels input = activation(node, 0);
  if (input.empty()) {
    return opaque(node);
  }
  const auto block = static_cast<size_t>(channels_of(node)) / input.size();
  Labels output;
  for (const size_t channel : input) {
    output.insert(output.end(), block, channel);
  }
  return output;
}

/// Values keep their order, so that a channel stays a stretch of them: one that spreads over
/// several new channels takes them along, several that come together in one go together.
Labels Labeller::label_reshape(const Node& node) {
  const Labels input = activation(node, 0);
  const auto before = std::ssize(input);
  const int64_t after = channels_of(node);
  if (before == 0 || (before % after != 0 && after % before != 0)) {
    return opaque(node);
  }
  Labels output;
  for (int64_t c = 0; c < after; ++c) {
    output.push_back(input[static_cast<size_t>(c * before / after)]);
  }
  for (int64_t c = 0; after < before && c < before; ++c) {
    result_.sets.join(input[static_cast<size_t>(c)],
                      output[static_cast<size_t>(c * after / before)]);
  }
  result_.dimensions.push_back({.weight = "", .nodes = {node.name}, .labels = output});
  return output;
}

Labels Labeller::label_concat(const Node& node) {
  int64_t axis = node.as<graph::AxisAttributes>().axis;
  axis += axis < 0 ? std::ssize(node.shape) : 0;
  for (const std::string& input : node.inputs) {
    if (model_.is_weight(input)) {
      return opaque(node);
    }
  }
  Labels output;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Labels input = activation(node, i);
    if (axis == kChannelAxis || i == 0) {
      output.insert(output.end(), input.begin(), input.end());
    } else {
      join(output, input);
    }
  }
  return output;
}

}  // namespace coppice::compress
