#include "compress/channel_labels.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace coppice::compress {

using graph::Node;
using graph::Op;

size_t ChannelSets::add(bool pinned) {
  parent_.push_back(parent_.size());
  pinned_.push_back(pinned);
  return parent_.size() - 1;
}

size_t ChannelSets::root(size_t channel) const {
  while (parent_[channel] != channel) {
    parent_[channel] = parent_[parent_[channel]];
    channel = parent_[channel];
  }
  return channel;
}

void ChannelSets::join(size_t a, size_t b) {
  a = root(a);
  b = root(b);
  if (a != b) {
    parent_[std::max(a, b)] = std::min(a, b);
    pinned_[std::min(a, b)] = pinned_[a] || pinned_[b];
  }
}

namespace {

constexpr int64_t kChannelAxis = 1;

int64_t channels_of(const Node& node) {
  return node.shape.size() > 1 ? node.shape[1] : 0;
}

class Labeller {
 public:
  explicit Labeller(const graph::Model& model) : model_(model) {}

  ChannelLabels run() {
    for (const Node& node : model_.graph.nodes) {
      result_.outputs[node.name] = label(node);
    }
    for (const std::string& output : model_.graph.outputs) {
      pin(result_.outputs.at(output));
    }
    return std::move(result_);
  }

 private:
  Labels label(const Node& node) {
    switch (node.op) {
      case Op::Input:
        return fresh(channels_of(node), true);
      case Op::Conv:
        return label_conv(node);
      case Op::ConvTranspose:
        return label_conv_transpose(node);
      case Op::Gemm:
        return label_gemm(node);
      case Op::BatchNorm:
        for (size_t i = 1; i < node.inputs.size(); ++i) {
          tie(node, i, 0, activation(node, 0));
        }
        return activation(node, 0);
      case Op::PRelu:
        return label_with_constant(node, 0);
      case Op::ReduceMean:
        return reduces_channels(node) ? opaque(node) : activation(node, 0);
      case Op::Pad:
        return pads_channels(node) ? opaque(node) : activation(node, 0);
      case Op::Transpose:
        return node.as<graph::TransposeAttributes>().order[kChannelAxis] == kChannelAxis
                   ? activation(node, 0)
                   : opaque(node);
      case Op::MatMul:  // these mix along, or stand on, other axes than the channels'
      case Op::LayerNorm:
      case Op::Lstm:
      case Op::Gru:
        return opaque(node);
      case Op::Cast:
      case Op::Relu:
      case Op::LeakyRelu:
      case Op::Clip:
      case Op::Sigmoid:
      case Op::Tanh:
      case Op::HardSwish:
      case Op::Erf:
      case Op::Resize:
      case Op::Dropout:
      case Op::MaxPool:
      case Op::AveragePool:
      case Op::GlobalAveragePool:
        return activation(node, 0);
      case Op::Flatten:
        return label_flatten(node);
      case Op::Reshape:  // gives the sizes that must come out
        return opaque(node);
      case Op::Slice:
        // Positions of the channel axis mean the channels that stand there.
        return node.as<graph::SliceAttributes>().axis == kChannelAxis ? opaque(node)
                                                                      : activation(node, 0);
      case Op::Concat:
        return label_concat(node);
      case Op::Add:
      case Op::Sub:
      case Op::Mul:
      case Op::Div:
        return label_binary(node);
      case Op::Softmax:  // every channel weighs on every other one
        pin(activation(node, 0));
        return activation(node, 0);
      case Op::QuantizeLinear:
      case Op::DequantizeLinear:
        throw core::Error(
            core::ErrorKind::InvalidArgument,
            "node '" + node.name +
                "': a quantised model cannot be pruned; prune the float model, then quantise");
    }
    COPPICE_CHECK(false, "op without a channel rule: " + std::string(to_string(node.op)));
    return {};
  }

  Labels label_conv(const Node& node) {
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
    } else if (groups ==
               std::ssize(input)) {  // depthwise: output o comes from input o / multiplier alone
      for (int64_t o = 0; o < out; ++o) {
        output.push_back(input[static_cast<size_t>(o * groups / out)]);
      }
    } else {  // convolution groups would have to stay equally wide: their channels stay whole
      pin(input);
      output = fresh(out, true);
    }
    tie(node, 1, 0, output, true);
    tie(node, 2, 0, output);
    return output;
  }

  /// As label_conv; the weight is [in, out / groups, …].
  Labels label_conv_transpose(const Node& node) {
    const Labels input = activation(node, 0);
    if (!is_weight(node, 1)) {
      return opaque(node);
    }
    const bool whole = node.as<graph::ConvTransposeAttributes>().groups == 1;
    if (!whole) {
      pin(input);
    }
    Labels output = fresh(channels_of(node), !whole);
    if (whole) {
      tie(node, 1, 0, input);
      tie(node, 1, 1, output, true);
    }
    tie(node, 2, 0, output);
    return output;
  }

  static bool reduces_channels(const Node& node) {
    const graph::Shape& axes = node.as<graph::ReduceAttributes>().axes;
    return std::find(axes.begin(), axes.end(), kChannelAxis) != axes.end();
  }

  static bool pads_channels(const Node& node) {
    const graph::Shape& pads = node.as<graph::PadAttributes>().pads;
    return pads[kChannelAxis] != 0 || pads[pads.size() / 2 + kChannelAxis] != 0;
  }

  Labels label_gemm(const Node& node) {
    if (!is_weight(node, 1)) {
      return opaque(node);
    }
    tie(node, 1, 1, activation(node, 0));
    Labels output = fresh(model_.weight(node.inputs[1]).dim(0), false);
    tie(node, 1, 0, output, true);
    tie(node, 2, 0, output);
    return output;
  }

  Labels label_flatten(const Node& node) {
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

  Labels label_concat(const Node& node) {
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

  Labels label_binary(const Node& node) {
    const bool first = is_weight(node, 0);
    const bool second = is_weight(node, 1);
    if (first && second) {
      return opaque(node);
    }
    return first || second ? label_with_constant(node, first ? 1 : 0) : label_pair(node);
  }

  Labels label_with_constant(const Node& node, size_t activation_index) {
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

  Labels label_pair(const Node& node) {
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

  /// A node through which channels cannot be followed: all that touches it stays whole.
  Labels opaque(const Node& node) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!model_.is_weight(node.inputs[i])) {
        pin(activation(node, i));
      }
    }
    return fresh(channels_of(node), true);
  }

  const Labels& activation(const Node& node, size_t i) const {
    return result_.outputs.at(node.inputs[i]);
  }

  bool is_weight(const Node& node, size_t i) const { return model_.is_weight(node.inputs.at(i)); }

  Labels fresh(int64_t count, bool pinned) {
    Labels labels;
    for (int64_t i = 0; i < count; ++i) {
      labels.push_back(result_.sets.add(pinned));
    }
    return labels;
  }

  void pin(const Labels& labels) {
    for (const size_t channel : labels) {
      result_.sets.pin(channel);
    }
  }

  void join(const Labels& a, const Labels& b) {
    COPPICE_CHECK(a.size() == b.size(), "joined channels differ in number");
    for (size_t i = 0; i < a.size(); ++i) {
      result_.sets.join(a[i], b[i]);
    }
  }

  /// Dimension `dimension` of input `i` (a weight, if given at all) carries `labels`.
  void tie(
      const Node& node, size_t i, size_t dimension, const Labels& labels, bool producer = false) {
    if (i >= node.inputs.size()) {
      return;
    }
    const std::string& weight = node.inputs[i];
    if (!model_.is_weight(weight)) {
      pin(labels);
      pin(result_.outputs.at(weight));
      return;
    }
    const graph::Tensor& tensor = model_.weight(weight);
    if (dimension >= tensor.shape().size() || tensor.dim(dimension) != std::ssize(labels)) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "node '" + node.name + "': weight '" + weight + "' of shape " +
                            graph::to_string(tensor.shape()) + " does not fit " +
                            std::to_string(labels.size()) +
                            " channels; infer shapes and verify first");
    }
    for (LabelledDimension& known : result_.dimensions) {
      if (known.weight == weight &&
          known.dimension == dimension) {  // a weight that several nodes share
        join(known.labels, labels);
        known.nodes.push_back(node.name);
        known.producer = known.producer || producer;
        return;
      }
    }
    result_.dimensions.push_back({weight, dimension, producer, {node.name}, labels});
  }

  const graph::Model& model_;
  ChannelLabels result_;
};

}  // namespace

ChannelLabels label_channels(const graph::Model& model) {
  return Labeller(model).run();
}

}  // namespace coppice::compress
