#include "compress/labeller.h"

namespace coppice::compress {

using graph::Node;

Labels Labeller::label_conv(const Node& node) {
  const Labels input = activation(node, 0);
  const auto groups = node.as<graph::ConvAttributes>().groups;
  if (!is_weight(node, 1)) {
    return opaque(node);
  }
  const int64_t out = model_.weight(node.inputs[1]).dim(0);
  Labels output;
  if (groups == 1) {
    tie(node, 1, 1, input);
    output = fresh(out, false);
  } else if (groups == std::ssize(input)) {
    // Depthwise: output o comes from input o / multiplier alone.
    for (int64_t o = 0; o < out; ++o) {
      output.push_back(input[static_cast<size_t>(o * groups / out)]);
    }
  } else {
    // The convolution's groups stay equally wide, so all are cut at the same places.
    tie(node, 1, 1, join_parts(input, groups));
    output = fresh(out, false);
    join_parts(output, groups);
  }
  tie(node, 1, 0, output, true);
  tie(node, 2, 0, output);
  return output;
}

/// As label_conv; the weight is [in, out / groups, …].
Labels Labeller::label_conv_transpose(const Node& node) {
  const Labels input = activation(node, 0);
  const auto groups = node.as<graph::ConvTransposeAttributes>().groups;
  if (!is_weight(node, 1)) {
    return opaque(node);
  }
  const int64_t out = channels_of(node);
  Labels output;
  if (groups > 1 && groups == std::ssize(input)) {
    for (int64_t o = 0; o < out; ++o) {
      output.push_back(input[static_cast<size_t>(o * groups / out)]);
    }
    tie(node, 1, 0, input, true);
  } else {
    join_parts(input, groups);
    output = fresh(out, false);
    tie(node, 1, 0, input);
    tie(node, 1, 1, join_parts(output, groups), true);
  }
  tie(node, 2, 0, output);
  return output;
}

Labels Labeller::label_gemm(const Node& node) {
  if (!is_weight(node, 1)) {
    return opaque(node);
  }
  tie(node, 1, 1, activation(node, 0));
  Labels output = fresh(model_.weight(node.inputs[1]).dim(0), false);
  tie(node, 1, 0, output, true);
  tie(node, 2, 0, output);
  return output;
}

Labels Labeller::label_batch_norm(const Node& node) {
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    tie(node, i, 0, activation(node, 0));
  }
  return activation(node, 0);
}

}  // namespace coppice::compress
