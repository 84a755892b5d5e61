#include <algorithm>

#include <fmt/format.h>

#include "train/torchscript/parts.h"

namespace coppice::train {

using graph::Node;
using graph::Shape;
using graph::Tensor;

std::string script_convolution(ScriptWriter& writer, const Node& node) {
  const auto& a = node.as<graph::ConvAttributes>();
  const bool symmetric = a.pads[0] == a.pads[2] && a.pads[1] == a.pads[3];
  const std::string x = writer.value(node.inputs[0]);
  return fmt::format("torch.conv2d({}, {}, {}, {}, {}, {}, {})",
                     symmetric ? x : script_padded(x, a.pads, 0),
                     writer.value(node.inputs[1]),
                     node.inputs.size() > 2 ? writer.value(node.inputs[2]) : "None",
                     script_list(a.stride),
                     symmetric ? script_list({a.pads[0], a.pads[1]}) : "[0, 0]",
                     script_list(a.dilation),
                     a.groups);
}

std::string script_transposed_convolution(ScriptWriter& writer, const Node& node) {
  const auto& a = node.as<graph::ConvTransposeAttributes>();
  const std::string full =
      fmt::format("torch.conv_transpose2d({}, {}, None, {}, [0, 0], [0, 0], {}, {})",
                  writer.value(node.inputs[0]),
                  writer.value(node.inputs[1]),
                  script_list(a.stride),
                  a.groups,
                  script_list(a.dilation));
  const std::string cut = script_padded(
      full,
      {-a.pads[0], -a.pads[1], a.output_padding[0] - a.pads[2], a.output_padding[1] - a.pads[3]},
      0);
  return node.inputs.size() < 3 ? cut
                                : fmt::format("torch.add({}, torch.reshape({}, [1, -1, 1, 1]))",
                                              cut,
                                              writer.value(node.inputs[2]));
}

namespace {

/// The gates of a weight [1, gates h, …], or of a half of the biases, in ATen's order.
Tensor reordered(const Tensor& gates, int64_t first, int64_t rows, const std::vector<int>& order) {
  const int64_t all_rows = gates.dim(1);
  const int64_t row_bytes = gates.bytes_size() / all_rows;
  Shape shape(gates.shape().begin() + 1, gates.shape().end());
  shape[0] = rows;
  Tensor result(graph::DType::F32, shape);
  const int64_t gate_bytes = rows / std::ssize(order) * row_bytes;
  for (size_t i = 0; i < order.size(); ++i) {
    const std::byte* from = gates.bytes() + first * row_bytes + order[i] * gate_bytes;
    std::copy(from, from + gate_bytes, result.bytes() + static_cast<int64_t>(i) * gate_bytes);
  }
  return result;
}

}  // namespace

/// ONNX has the gates i o f c and z r h, ATen i f c o and r z h.
std::string script_recurrent(ScriptWriter& writer, const Node& node) {
  const std::string x = writer.value(node.inputs[0]);
  const bool lstm = node.op == graph::Op::Lstm;
  const std::vector<int> order = lstm ? std::vector<int>{0, 2, 3, 1} : std::vector<int>{1, 0, 2};
  const int64_t hidden = node.shape[2];
  const int64_t rows = std::ssize(order) * hidden;
  const bool biased = node.inputs.size() > 3;
  std::string weights;
  const auto add = [&](size_t operand, const char* name, int64_t first) {
    weights += weights.empty() ? "" : ", ";
    weights +=
        writer.added(node.name + name,
                     reordered(writer.model().weight(node.inputs[operand]), first, rows, order),
                     true);
  };
  add(1, ".weight_ih", 0);
  add(2, ".weight_hh", 0);
  if (biased) {
    add(3, ".bias_ih", 0);
    add(3, ".bias_hh", rows);
  }
  const bool reverse = node.as<graph::RecurrentAttributes>().reverse;
  const std::string in = reverse ? fmt::format("torch.flip({}, [1])", x) : x;
  const std::string state =
      fmt::format("torch.zeros([1, torch.size({}, 0), {}])", x, hidden) + ".to(" + x + ")";
  const std::string y = fmt::format("torch.{}({}, {}, [{}], {}, 1, 0.0, False, False, True)[0]",
                                    lstm ? "lstm" : "gru",
                                    in,
                                    lstm ? fmt::format("[{0}, {0}]", state) : state,
                                    weights,
                                    biased ? "True" : "False");
  return reverse ? fmt::format("torch.flip({}, [1])", y) : y;
}

}  // namespace coppice::train
