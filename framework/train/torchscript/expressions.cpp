// What train/lowering computes, as TorchScript: names of ATen's functions are part of the format of
// the files, so both stay readable to later versions.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "train/torchscript/script.h"

namespace coppice::train {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;
using graph::Shape;
using graph::Tensor;

std::string list(const Shape& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string number(double value) {
  if (std::isinf(value)) {
    return value > 0 ? "float(\"inf\")" : "float(\"-inf\")";
  }
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

/// c10's numbers of dtypes, which the format fixes.
int torch_code(DType dtype) {
  switch (dtype) {
    case DType::U8:
      return 0;
    case DType::I8:
      return 1;
    case DType::I32:
      return 3;
    case DType::I64:
      return 4;
    case DType::F32:
      break;
  }
  return 6;
}

std::string padded(const std::string& x, const Shape& pads, double value) {
  return fmt::format("torch.constant_pad_nd({}, {}, {})",
                     x,
                     list({pads[1], pads[3], pads[0], pads[2]}),
                     number(value));
}

bool any_pads(const Shape& pads) {
  return std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; });
}

std::string convolution(ScriptWriter& writer, const Node& node) {
  const auto& a = node.as<graph::ConvAttributes>();
  const bool symmetric = a.pads[0] == a.pads[2] && a.pads[1] == a.pads[3];
  const std::string x = writer.value(node.inputs[0]);
  return fmt::format("torch.conv2d({}, {}, {}, {}, {}, {}, {})",
                     symmetric ? x : padded(x, a.pads, 0),
                     writer.value(node.inputs[1]),
                     node.inputs.size() > 2 ? writer.value(node.inputs[2]) : "None",
                     list(a.stride),
                     symmetric ? list({a.pads[0], a.pads[1]}) : "[0, 0]",
                     list(a.dilation),
                     a.groups);
}

std::string transposed_convolution(ScriptWriter& writer, const Node& node) {
  const auto& a = node.as<graph::ConvTransposeAttributes>();
  const std::string full =
      fmt::format("torch.conv_transpose2d({}, {}, None, {}, [0, 0], [0, 0], {}, {})",
                  writer.value(node.inputs[0]),
                  writer.value(node.inputs[1]),
                  list(a.stride),
                  a.groups,
                  list(a.dilation));
  const std::string cut = padded(
      full,
      {-a.pads[0], -a.pads[1], a.output_padding[0] - a.pads[2], a.output_padding[1] - a.pads[3]},
      0);
  return node.inputs.size() < 3 ? cut
                                : fmt::format("torch.add({}, torch.reshape({}, [1, -1, 1, 1]))",
                                              cut,
                                              writer.value(node.inputs[2]));
}

std::string pooling(const std::string& x, const Node& node) {
  const auto& a = node.as<graph::PoolAttributes>();
  const std::string window = fmt::format("{}, {}", list(a.kernel), list(a.stride));
  if (node.op == Op::MaxPool) {
    return fmt::format(
        "torch.max_pool2d({}, {})", any_pads(a.pads) ? padded(x, a.pads, -INFINITY) : x, window);
  }
  if (!any_pads(a.pads)) {
    return fmt::format("torch.avg_pool2d({}, {})", x, window);
  }
  return fmt::format("torch.div(torch.avg_pool2d({}, {}), torch.avg_pool2d({}, {}))",
                     padded(x, a.pads, 0),
                     window,
                     padded(fmt::format("torch.ones_like({})", x), a.pads, 0),
                     window);
}

std::string resized(const std::string& x, const Node& node) {
  const graph::ResizeMode mode = node.as<graph::ResizeAttributes>().mode;
  const std::string size = list({node.shape[2], node.shape[3]});
  return mode == graph::ResizeMode::Nearest
             ? fmt::format("torch.upsample_nearest2d({}, {}, None, None)", x, size)
             : fmt::format("torch.upsample_bilinear2d({}, {}, {}, None, None)",
                           x,
                           size,
                           mode == graph::ResizeMode::LinearCorners ? "True" : "False");
}

/// Mirrored or repeated values by their positions.
std::string reflected(ScriptWriter& writer, std::string x, const Node& node) {
  const auto& pad = node.as<graph::PadAttributes>();
  const Shape& in = writer.model().graph.at(node.inputs[0]).shape;
  const size_t rank = in.size();
  for (size_t d = 1; d < rank; ++d) {
    if (pad.pads[d] == 0 && pad.pads[rank + d] == 0) {
      continue;
    }
    std::vector<int64_t> positions;
    for (int64_t i = -pad.pads[d]; i < in[d] + pad.pads[rank + d]; ++i) {
      const int64_t mirrored = i < 0 ? -i : i >= in[d] ? 2 * (in[d] - 1) - i : i;
      positions.push_back(
          pad.mode == graph::PadMode::Reflect ? mirrored : std::clamp<int64_t>(i, 0, in[d] - 1));
    }
    const std::string index = writer.added(
        fmt::format("{}.positions{}", node.name, d),
        Tensor::from<int64_t>({std::ssize(positions)}, std::span<const int64_t>(positions)),
        false);
    x = fmt::format("torch.index_select({}, {}, {})", x, d, index);
  }
  return x;
}

std::string padding(ScriptWriter& writer, const std::string& x, const Node& node) {
  const auto& pad = node.as<graph::PadAttributes>();
  if (pad.mode != graph::PadMode::Constant) {
    return reflected(writer, x, node);
  }
  const size_t rank = pad.pads.size() / 2;
  Shape from_the_last;
  for (size_t d = rank; d-- > 1;) {
    from_the_last.push_back(pad.pads[d]);
    from_the_last.push_back(pad.pads[rank + d]);
  }
  return fmt::format(
      "torch.constant_pad_nd({}, {}, {})", x, list(from_the_last), number(pad.value));
}

/// `kept` dimensions of a mask differ, the others are one.
std::string dropout(const std::string& x, const Node& node) {
  const auto& drop = node.as<graph::DropoutAttributes>();
  const std::string rate = number(drop.rate);
  switch (drop.grain) {
    case graph::DropoutGrain::Value:
      return fmt::format("torch.dropout({}, {}, self.training)", x, rate);
    case graph::DropoutGrain::Channel:
      return fmt::format("torch.feature_dropout({}, {}, self.training)", x, rate);
    case graph::DropoutGrain::Sample:
      break;
  }
  Shape others;
  for (size_t d = 1; d < node.shape.size(); ++d) {
    others.push_back(static_cast<int64_t>(d));
  }
  return fmt::format(
      "torch.mul({0}, torch.dropout(torch.amax(torch.ones_like({0}), {1}, True), {2}, "
      "self.training))",
      x,
      list(others),
      rate);
}

/// A constant as it is, or one for each place along the node's axis.
std::string along_axis(ScriptWriter& writer, const Node& node, size_t operand) {
  const std::string& name = node.inputs[operand];
  const Tensor& tensor = writer.model().weight(name);
  Shape shape;
  if (tensor.size() > 1) {
    shape.assign(node.shape.size(), 1);
    shape.at(static_cast<size_t>(node.as<graph::AxisAttributes>().axis)) = tensor.size();
  }
  const std::string real = writer.value(name) + ".to(6)";
  return shape.empty() ? real : fmt::format("torch.reshape({}, {})", real, list(shape));
}

std::string quantisation(ScriptWriter& writer, const std::string& x, const Node& node) {
  const std::string scale = along_axis(writer, node, 1);
  const std::string zero = along_axis(writer, node, 2);
  if (node.op == Op::DequantizeLinear) {
    return fmt::format("torch.mul(torch.sub({}.to(6), {}), {})", x, zero, scale);
  }
  const bool is_signed = node.dtype == DType::I8;
  return fmt::format("torch.clamp(torch.add(torch.round(torch.div({}, {})), {}), {}, {})",
                     x,
                     scale,
                     zero,
                     is_signed ? -128 : 0,
                     is_signed ? 127 : 255);
}

/// The gates of a weight [1, gates h, …], or of a half of the biases, in ATen's order.
Tensor reordered(const Tensor& gates, int64_t first, int64_t rows, const std::vector<int>& order) {
  const int64_t all_rows = gates.dim(1);
  const int64_t row_bytes = gates.bytes_size() / all_rows;
  Shape shape(gates.shape().begin() + 1, gates.shape().end());
  shape[0] = rows;
  Tensor result(DType::F32, shape);
  const int64_t gate_bytes = rows / std::ssize(order) * row_bytes;
  for (size_t i = 0; i < order.size(); ++i) {
    const std::byte* from = gates.bytes() + first * row_bytes + order[i] * gate_bytes;
    std::copy(from, from + gate_bytes, result.bytes() + static_cast<int64_t>(i) * gate_bytes);
  }
  return result;
}

/// ONNX has the gates i o f c and z r h, ATen i f c o and r z h.
std::string recurrent(ScriptWriter& writer, const std::string& x, const Node& node) {
  const bool lstm = node.op == Op::Lstm;
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

std::string reshaped(const std::string& x, const Node& node) {
  const Shape& sample = node.as<graph::ReshapeAttributes>().sample;
  return fmt::format("torch.reshape({}, [torch.size({}, 0), {}])", x, x, fmt::join(sample, ", "));
}

std::string joined(ScriptWriter& writer, const Node& node) {
  std::string parts;
  for (const std::string& name : node.inputs) {
    parts += (parts.empty() ? "" : ", ") + writer.value(name);
  }
  return fmt::format("torch.cat([{}], {})", parts, node.as<graph::AxisAttributes>().axis);
}

std::string limit(float value) {
  return std::isinf(value) ? "None" : number(value);
}

}  // namespace

std::string script_expression(ScriptWriter& writer, const Node& node) {
  const std::string x = node.inputs.empty() ? "" : writer.value(node.inputs[0]);
  const auto operand = [&](size_t i) {
    return writer.value(node.inputs.at(i));
  };
  const auto unary = [&](const char* function) {
    return fmt::format("torch.{}({})", function, x);
  };
  const auto binary = [&](const char* function) {
    return fmt::format("torch.{}({}, {})", function, x, operand(1));
  };
  switch (node.op) {
    case Op::Input:
      break;
    case Op::Cast:
      return fmt::format("{}.to({})", x, torch_code(node.dtype));
    case Op::Add:
      return binary("add");
    case Op::Sub:
      return binary("sub");
    case Op::Mul:
      return binary("mul");
    case Op::Div:
      return binary("div");
    case Op::Conv:
      return convolution(writer, node);
    case Op::ConvTranspose:
      return transposed_convolution(writer, node);
    case Op::Gemm:
      return fmt::format(
          "torch.linear({}, {}, {})", x, operand(1), node.inputs.size() > 2 ? operand(2) : "None");
    case Op::MatMul:
      return binary("matmul");
    case Op::BatchNorm:
      return fmt::format("torch.batch_norm({}, {}, {}, {}, {}, self.training, 0.1, {}, True)",
                         x,
                         operand(1),
                         operand(2),
                         operand(3),
                         operand(4),
                         number(node.as<graph::BatchNormAttributes>().epsilon));
    case Op::LayerNorm:
      return fmt::format("torch.layer_norm({}, {}, {}, {}, {}, True)",
                         x,
                         list(writer.model().weight(node.inputs[1]).shape()),
                         operand(1),
                         operand(2),
                         number(node.as<graph::LayerNormAttributes>().epsilon));
    case Op::Relu:
      return unary("relu");
    case Op::LeakyRelu:
      return fmt::format(
          "torch.leaky_relu({}, {})", x, number(node.as<graph::LeakyReluAttributes>().slope));
    case Op::PRelu:
      return fmt::format("torch.where(torch.lt({0}, 0), torch.mul({0}, {1}), {0})", x, operand(1));
    case Op::Clip: {
      const auto& clip = node.as<graph::ClipAttributes>();
      return fmt::format("torch.clamp({}, {}, {})", x, limit(clip.low), limit(clip.high));
    }
    case Op::Sigmoid:
      return unary("sigmoid");
    case Op::Tanh:
      return unary("tanh");
    case Op::HardSwish:
      return unary("hardswish");
    case Op::Erf:
      return unary("erf");
    case Op::MaxPool:
    case Op::AveragePool:
      return pooling(x, node);
    case Op::GlobalAveragePool:
      return fmt::format("torch.mean({}, [2, 3], True)", x);
    case Op::ReduceMean:
      return fmt::format(
          "torch.mean({}, {}, True)", x, list(node.as<graph::ReduceAttributes>().axes));
    case Op::Resize:
      return resized(x, node);
    case Op::Pad:
      return padding(writer, x, node);
    case Op::Flatten:
      return fmt::format("torch.flatten({}, 1)", x);
    case Op::Reshape:
      return reshaped(x, node);
    case Op::Transpose:
      return fmt::format(
          "torch.permute({}, {})", x, list(node.as<graph::TransposeAttributes>().order));
    case Op::Slice: {
      const auto& slice = node.as<graph::SliceAttributes>();
      return fmt::format(
          "torch.slice({}, {}, {}, {}, {})", x, slice.axis, slice.start, slice.end, slice.step);
    }
    case Op::Concat:
      return joined(writer, node);
    case Op::Dropout:
      return dropout(x, node);
    case Op::Softmax:
      return fmt::format("torch.softmax({}, {})", x, node.as<graph::AxisAttributes>().axis);
    case Op::Lstm:
    case Op::Gru:
      return recurrent(writer, x, node);
    case Op::QuantizeLinear:
    case Op::DequantizeLinear:
      return quantisation(writer, x, node);
  }
  COPPICE_CHECK(false, "an input is no expression");
}

}  // namespace coppice::train
