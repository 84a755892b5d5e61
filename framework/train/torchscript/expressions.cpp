// What train/lowering computes, as TorchScript: names of ATen's functions are part of the format of
// the files, so both stay readable to later versions.

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "train/lowering/batch_norm.h"
#include "train/torchscript/parts.h"

namespace coppice::train {

using graph::DType;
using graph::Node;
using graph::Op;
using graph::Shape;
using graph::Tensor;

std::string script_list(const Shape& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string script_number(double value) {
  const std::string text = fmt::format("{}", value);
  if (!std::isfinite(value)) {
    return fmt::format("float(\"{}\")", text);
  }
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

namespace {

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

/// A mask of ones over channels or samples drops these as a whole.
std::string dropout(const std::string& x, const Node& node) {
  const auto& drop = node.as<graph::DropoutAttributes>();
  const std::string rate = script_number(drop.rate);
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
      script_list(others),
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
  return shape.empty() ? real : fmt::format("torch.reshape({}, {})", real, script_list(shape));
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

std::string reshaped(const std::string& x, const Node& node) {
  const Shape& sample = node.as<graph::ReshapeAttributes>().sample;
  return fmt::format("torch.reshape({}, [torch.size({}, 0), {}])", x, x, fmt::join(sample, ", "));
}

}  // namespace

std::string script_expression(ScriptWriter& writer, const Node& node) {
  if (node.op == Op::Lstm || node.op == Op::Gru) {
    return script_recurrent(writer, node);
  }
  std::vector<std::string> operands;  // in the order in which weights get names
  for (const std::string& name : node.inputs) {
    operands.push_back(writer.value(name));
  }
  const std::string x = operands.empty() ? "" : operands[0];
  const auto operand = [&](size_t i) {
    return operands.at(i);
  };
  const auto unary = [&](const char* function) {
    return fmt::format("torch.{}({})", function, x);
  };
  const auto binary = [&](const char* function) {
    return fmt::format("torch.{}({}, {})", function, x, operand(1));
  };
  switch (node.op) {
    case Op::Input:
    case Op::Lstm:
    case Op::Gru:
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
      return script_convolution(writer, node);
    case Op::ConvTranspose:
      return script_transposed_convolution(writer, node);
    case Op::Gemm:
      return fmt::format(
          "torch.linear({}, {}, {})", x, operand(1), node.inputs.size() > 2 ? operand(2) : "None");
    case Op::MatMul:
      return binary("matmul");
    case Op::BatchNorm:
      return fmt::format("torch.batch_norm({}, {}, {}, {}, {}, self.training, {}, {}, True)",
                         x,
                         operand(1),
                         operand(2),
                         operand(3),
                         operand(4),
                         script_number(kBatchNormMomentum),
                         script_number(node.as<graph::BatchNormAttributes>().epsilon));
    case Op::LayerNorm:
      return fmt::format("torch.layer_norm({}, {}, {}, {}, {}, True)",
                         x,
                         script_list(writer.model().weight(node.inputs[1]).shape()),
                         operand(1),
                         operand(2),
                         script_number(node.as<graph::LayerNormAttributes>().epsilon));
    case Op::Relu:
      return unary("relu");
    case Op::LeakyRelu:
      return fmt::format("torch.leaky_relu({}, {})",
                         x,
                         script_number(node.as<graph::LeakyReluAttributes>().slope));
    case Op::PRelu:
      return fmt::format("torch.where(torch.lt({0}, 0), torch.mul({0}, {1}), {0})", x, operand(1));
    case Op::Clip: {
      const auto& clip = node.as<graph::ClipAttributes>();
      return fmt::format(
          "torch.clamp({}, {}, {})", x, script_number(clip.low), script_number(clip.high));
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
      return script_pooling(x, node);
    case Op::GlobalAveragePool:
      return fmt::format("torch.mean({}, [2, 3], True)", x);
    case Op::ReduceMean:
      return fmt::format(
          "torch.mean({}, {}, True)", x, script_list(node.as<graph::ReduceAttributes>().axes));
    case Op::Resize:
      return script_resized(writer, x, node);
    case Op::Pad:
      return script_padding(writer, x, node);
    case Op::Flatten:
      return fmt::format("torch.flatten({}, 1)", x);
    case Op::Reshape:
      return reshaped(x, node);
    case Op::Transpose:
      return fmt::format(
          "torch.permute({}, {})", x, script_list(node.as<graph::TransposeAttributes>().order));
    case Op::Slice: {
      const auto& slice = node.as<graph::SliceAttributes>();
      return fmt::format(
          "torch.slice({}, {}, {}, {}, {})", x, slice.axis, slice.start, slice.end, slice.step);
    }
    case Op::Concat:
      return fmt::format(
          "torch.cat([{}], {})", fmt::join(operands, ", "), node.as<graph::AxisAttributes>().axis);
    case Op::Dropout:
      return dropout(x, node);
    case Op::Softmax:
      return fmt::format("torch.softmax({}, {})", x, node.as<graph::AxisAttributes>().axis);
    case Op::QuantizeLinear:
    case Op::DequantizeLinear:
      return quantisation(writer, x, node);
  }
  COPPICE_CHECK(false, "an input is no expression, a recurrent unit has one");
}

}  // namespace coppice::train
