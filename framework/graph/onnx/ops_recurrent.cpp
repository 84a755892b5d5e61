// LSTM and GRU: time comes before the batch in ONNX, behind it in the graph.

#include <cstring>

#include "graph/onnx/ops_norm.h"
#include "graph/onnx/parameters.h"

namespace coppice::graph {

namespace {

const std::vector<Shape> kTimeFirst{{1}, {0}, {2}};

/// One direction's part of a weight of both.
Tensor part_of(OnnxReader& reader,
               const onnx::NodeProto& node,
               const Tensor& weight,
               int64_t direction) {
  Shape shape = weight.shape();
  const auto bytes = static_cast<size_t>(weight.bytes_size() / shape[0]);
  shape[0] = 1;
  Tensor part = reader.budget().tensor(node, weight.dtype(), std::move(shape));
  std::memcpy(part.bytes(), weight.bytes() + static_cast<size_t>(direction) * bytes, bytes);
  return part;
}

void require_usual_activations(const onnx::NodeProto& node,
                               AttributeReader& attributes,
                               const std::vector<std::string>& usual) {
  const auto* given = attributes.take("activations");
  for (int i = 0; given != nullptr && i < given->strings_size(); ++i) {
    if (given->strings(i) != usual[static_cast<size_t>(i) % usual.size()]) {
      unsupported_node(
          node, fmt::format("activation '{}'; supported: the usual ones", given->strings(i)));
    }
  }
}

std::string last_step(OnnxReader& reader,
                      const onnx::NodeProto& node,
                      const std::string& states,
                      bool reverse,
                      int64_t steps) {
  const int64_t at = reverse ? 0 : steps - 1;
  return reader.make(node, Op::Slice, SliceAttributes{1, at, at + 1}, {states});
}

/// Outputs: every state [time, directions, n, h]; the last ones [directions, n, h].
void read_recurrent(OnnxReader& reader,
                    const onnx::NodeProto& node,
                    AttributeReader& attributes,
                    Op op) {
  attributes.integer("hidden_size", 0);  // follows from the weights
  const std::string direction = text_of(attributes, "direction", "forward");
  attributes.expect("layout", int64_t{0});
  attributes.finish();
  const View x = reader.canonical(node, 0);
  if (x.dims != kTimeFirst) {
    unsupported_node(node, "supported: input [time, n, features] (batch_first=True in PyTorch)");
  }
  if (OnnxReader::has(node, 4) || OnnxReader::has(node, 7)) {
    unsupported_node(node, "sequence lengths and peepholes");
  }
  for (const int state : {5, 6}) {
    if (OnnxReader::has(node, state) && !reader.is_zero(node, state)) {
      unsupported_node(node, "a first state that is not 0");
    }
  }
  const bool both = direction == "bidirectional";
  const int64_t directions = both ? 2 : 1;
  std::vector<std::string> outputs;
  for (int64_t d = 0; d < directions; ++d) {
    std::vector<std::string> inputs{x.node};
    for (int i = 1; i < 4; ++i) {
      if (i == 3 && !OnnxReader::has(node, i)) {
        break;
      }
      const Tensor& weight = reader.constant(node, i);
      if (weight.shape().empty() || weight.dim(0) != directions) {
        corrupt_node(
            node,
            fmt::format("weight {} for {} directions", to_string(weight.shape()), directions));
      }
      inputs.push_back(both ? reader.add_weight(node.input(i) + (d == 0 ? ".forward" : ".reverse"),
                                                part_of(reader, node, weight, d))
                            : reader.use(node, i));
    }
    const RecurrentAttributes result{.reverse = direction == "reverse" || d == 1};
    outputs.push_back(reader.make(node, op, result, std::move(inputs)));
  }
  const int64_t steps = reader.node_shape(x)[1];
  const int64_t hidden = reader.node_shape(identity_view(outputs[0], 3))[2];
  if (!node.output(0).empty()) {
    if (both) {
      const std::string joined = reader.make(node, Op::Concat, AxisAttributes{2}, outputs);
      reader.define(
          node, 0, {reader.reshape(node, joined, {steps, 2, hidden}), {{1}, {2}, {0}, {3}}});
    } else {
      reader.define(node, 0, {outputs[0], {{1}, {}, {0}, {2}}});
    }
  }
  if (node.output_size() > 1 && !node.output(1).empty()) {
    std::string last = last_step(reader, node, outputs[0], direction == "reverse", steps);
    if (both) {
      last = reader.make(node,
                         Op::Concat,
                         AxisAttributes{1},
                         {last, last_step(reader, node, outputs[1], true, steps)});
    }
    reader.define(node, 1, {last, kTimeFirst});
  }
}

}  // namespace

void read_lstm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  require_usual_activations(node, attributes, {"Sigmoid", "Tanh", "Tanh"});
  attributes.expect("input_forget", int64_t{0});
  read_recurrent(reader, node, attributes, Op::Lstm);
}

void read_gru(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  require_usual_activations(node, attributes, {"Sigmoid", "Tanh"});
  if (attributes.integer("linear_before_reset", 0) != 1) {
    unsupported_node(node, "linear_before_reset 0; supported: 1, as PyTorch writes it");
  }
  read_recurrent(reader, node, attributes, Op::Gru);
}

}  // namespace coppice::graph
