#include <algorithm>
#include <functional>

#include <fmt/ranges.h>

#include "graph/onnx/fold.h"
#include "graph/onnx/ops_elementwise.h"
#include "graph/onnx/ops_layout.h"
#include "graph/onnx/ops_linear.h"
#include "graph/onnx/ops_norm.h"
#include "graph/onnx/ops_pool.h"
#include "graph/onnx/parameters.h"
#include "graph/onnx/tensor_proto.h"

namespace coppice::graph {

namespace {

using ReadOp = std::function<void(OnnxReader&, const onnx::NodeProto&, AttributeReader&)>;

std::vector<std::string> all_inputs(OnnxReader& reader, const onnx::NodeProto& node) {
  std::vector<std::string> inputs;
  inputs.reserve(static_cast<size_t>(node.input_size()));
  for (int i = 0; i < node.input_size(); ++i) {
    inputs.push_back(reader.use(node, i));
  }
  while (!inputs.empty() && inputs.back().empty()) {
    inputs.pop_back();
  }
  return inputs;
}

ReadOp unary(Op op) {
  return [op](OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
    read_unary(reader, node, attributes, op);
  };
}

ReadOp binary(Op op) {
  return [op](OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
    read_binary(reader, node, attributes, op);
  };
}

void read_cast(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const int64_t to = attributes.integer("to", 0);
  attributes.finish();
  const bool known = std::in_range<int32_t>(to);
  const DType dtype = from_onnx_dtype(known ? static_cast<int32_t>(to) : 0, "target of a Cast");
  reader.add(node, Op::Cast, CastAttributes{dtype}, all_inputs(reader, node));
}

void read_flatten(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const int64_t axis = axis_of(node, attributes.integer("axis", 1), reader.shape(node, 0));
  attributes.finish();
  if (axis != 1) {
    unsupported_node(node, fmt::format("axis {}; supported: 1, which keeps the batch", axis));
  }
  reader.add(node, Op::Flatten, NoAttributes{}, all_inputs(reader, node));
}

/// A zero point that is left out is zero: u8 when quantising, the input's dtype when dequantising.
ReadOp linear_quantization(Op op) {
  return [op](OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
    int64_t axis = attributes.integer("axis", 1);
    attributes.finish();
    auto inputs = all_inputs(reader, node);
    if (inputs.size() < 2) {
      corrupt_node(node, "the scale is missing");
    }
    const Tensor& scale = reader.constant(node, 1);
    if (scale.shape().empty() || scale.shape() == Shape{1}) {
      axis = axis < 0 ? 0 : axis;  // means nothing with one scale, and files keep any default
    } else {
      axis = axis_of(node, axis, reader.shape(node, 0));
    }
    if (inputs.size() == 2) {
      const DType dtype = op == Op::QuantizeLinear ? DType::U8 : reader.dtype(node, 0);
      inputs.push_back(reader.add_weight(node.output(0) + ".zero_point",
                                         reader.budget().tensor(node, dtype, scale.shape())));
    }
    reader.add(node, op, AxisAttributes{axis}, std::move(inputs));
  };
}

void read_constant(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const std::string& name = node.output(0);
  Tensor tensor;
  if (const auto* value = attributes.take("value")) {
    tensor = from_onnx_tensor(value->t(), name);
  } else if (const auto* real = attributes.take("value_float")) {
    tensor = Tensor::from<float>({}, std::vector<float>{real->f()});
  } else if (const auto* integer = attributes.take("value_int")) {
    tensor = Tensor::from<int64_t>({}, std::vector<int64_t>{integer->i()});
  } else if (attributes.has("value_floats")) {
    const auto* list = attributes.take("value_floats");
    const std::vector<float> values(list->floats().begin(), list->floats().end());
    tensor = Tensor::from<float>({std::ssize(values)}, values);
  } else {
    const Shape values = attributes.integers("value_ints", {});
    tensor = Tensor::from<int64_t>({std::ssize(values)}, values);
  }
  attributes.finish();
  reader.add_constant(name, std::move(tensor));
}

/// Every op that can be read, once; shapes and constants are computed by fold.cpp.
const std::map<std::string_view, ReadOp>& readers() {
  static const std::map<std::string_view, ReadOp> kReaders{
      {"Add", binary(Op::Add)},
      {"AveragePool", read_average_pool},
      {"BatchNormalization", read_batch_norm},
      {"Cast", read_cast},
      {"Clip", read_clip},
      {"Concat", read_concat},
      {"Constant", read_constant},
      {"Conv", read_conv},
      {"ConvTranspose", read_conv_transpose},
      {"DequantizeLinear", linear_quantization(Op::DequantizeLinear)},
      {"Div", binary(Op::Div)},
      {"Dropout", read_dropout},
      {"Erf", unary(Op::Erf)},
      {"Flatten", read_flatten},
      {"GRU", read_gru},
      {"Gather", read_gather},
      {"Gemm", read_gemm},
      {"GlobalAveragePool", read_global_average_pool},
      {"GlobalMaxPool", read_global_max_pool},
      {"HardSigmoid", read_hard_sigmoid},
      {"HardSwish", unary(Op::HardSwish)},
      {"Identity", read_identity},
      {"LSTM", read_lstm},
      {"LayerNormalization", read_layer_norm},
      {"LeakyRelu", read_leaky_relu},
      {"MatMul", read_matmul},
      {"MaxPool", read_max_pool},
      {"Mul", binary(Op::Mul)},
      {"PRelu", binary(Op::PRelu)},
      {"Pad", read_pad},
      {"Pow", read_pow},
      {"QuantizeLinear", linear_quantization(Op::QuantizeLinear)},
      {"ReduceMean", read_reduce_mean},
      {"Relu", unary(Op::Relu)},
      {"Reshape", read_reshape},
      {"Resize", read_resize},
      {"Sigmoid", unary(Op::Sigmoid)},
      {"Slice", read_slice},
      {"Softmax", read_softmax},
      {"Split", read_split},
      {"Squeeze", read_squeeze},
      {"Sub", binary(Op::Sub)},
      {"Tanh", unary(Op::Tanh)},
      {"Transpose", read_transpose},
      {"Unsqueeze", read_unsqueeze},
      {"Upsample", read_resize},
  };
  return kReaders;
}

}  // namespace

void read_onnx_node(OnnxReader& reader, const onnx::NodeProto& node) {
  if (node.output_size() == 0) {
    corrupt_node(node, "no output");
  }
  const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
  if (standard && fold_constant(reader, node)) {
    return;
  }
  const auto it = readers().find(node.op_type());
  if (it == readers().end() || !standard) {
    std::vector<std::string_view> names;
    for (const auto& [name, read] : readers()) {
      names.push_back(name);
    }
    unsupported_node(node, fmt::format("not supported; supported: {}", fmt::join(names, ", ")));
  }
  // A dropout's mask matters in training only; a node that read it would not find it.
  static constexpr std::string_view kSeveralOutputs[] = {"Dropout", "GRU", "LSTM", "Split"};
  const bool several =
      std::ranges::find(kSeveralOutputs, node.op_type()) != std::end(kSeveralOutputs);
  for (int i = 1; i < node.output_size(); ++i) {
    if (!node.output(i).empty() && !several) {
      unsupported_node(node, "more than one output");
    }
  }
  AttributeReader attributes(node);
  it->second(reader, node, attributes);
}

}  // namespace coppice::graph
