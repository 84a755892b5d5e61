#include "compress/channel_labels.h"

#include <algorithm>
#include <utility>

#include "compress/labeller.h"
#include "core/error.h"

namespace coppice::compress {

using graph::Node;
using graph::Op;

int64_t channels_of(const Node& node) {
  return node.shape.size() > 1 ? node.shape[1] : 0;
}

namespace {

bool reduces_channels(const Node& node) {
  const graph::Shape& axes = node.as<graph::ReduceAttributes>().axes;
  return std::find(axes.begin(), axes.end(), kChannelAxis) != axes.end();
}

bool pads_channels(const Node& node) {
  const graph::Shape& pads = node.as<graph::PadAttributes>().pads;
  return pads[kChannelAxis] != 0 || pads[pads.size() / 2 + kChannelAxis] != 0;
}

}  // namespace

ChannelLabels Labeller::run() {
  for (const Node& node : model_.graph.nodes) {
    result_.outputs[node.name] = label(node);
  }
  for (const std::string& output : model_.graph.outputs) {
    pin(result_.outputs.at(output));
  }
  return std::move(result_);
}

Labels Labeller::label(const Node& node) {
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
      return label_batch_norm(node);
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
    case Op::Reshape:
      return label_reshape(node);
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

Labels Labeller::opaque(const Node& node) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!model_.is_weight(node.inputs[i])) {
      pin(activation(node, i));
    }
  }
  return fresh(channels_of(node), true);
}

const Labels& Labeller::activation(const Node& node, size_t i) const {
  return result_.outputs.at(node.inputs[i]);
}

bool Labeller::is_weight(const Node& node, size_t i) const {
  return model_.is_weight(node.inputs.at(i));
}

Labels Labeller::fresh(int64_t count, bool pinned) {
  Labels labels;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(result_.sets.add(pinned));
  }
  return labels;
}

void Labeller::pin(const Labels& labels) {
  for (const size_t channel : labels) {
    result_.sets.pin(channel);
  }
}

Labels Labeller::join_parts(const Labels& labels, int64_t parts) {
  const auto first = labels.begin();
  const auto width = std::ssize(labels) / parts;
  const Labels part(first, first + width);
  for (int64_t p = 1; p < parts; ++p) {
    join(part, Labels(first + p * width, first + (p + 1) * width));
  }
  return part;
}

void Labeller::join(const Labels& a, const Labels& b) {
  COPPICE_CHECK(a.size() == b.size(), "joined channels differ in number");
  for (size_t i = 0; i < a.size(); ++i) {
    result_.sets.join(a[i], b[i]);
  }
}

void Labeller::tie(
    const Node& node, size_t i, size_t dimension, const Labels& labels, bool producer) {
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

ChannelLabels label_channels(const graph::Model& model) {
  return Labeller(model).run();
}

}  // namespace coppice::compress
