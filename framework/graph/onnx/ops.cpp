#include <functional>
#include <limits>

#include <fmt/ranges.h>

#include "graph/onnx/dropout_remark.h"
#include "graph/onnx/ops_layout.h"
#include "graph/onnx/ops_linear.h"
#include "graph/onnx/reader.h"
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

/// The axis from the front.
int64_t axis_of(const onnx::NodeProto& node, int64_t axis, const Shape& shape) {
  const int64_t rank = std::ssize(shape);
  if (axis < -rank || axis >= rank) {
    corrupt_node(node, fmt::format("axis {} of {}", axis, to_string(shape)));
  }
  return axis < 0 ? axis + rank : axis;
}

/// An op without attributes.
ReadOp plain(Op op) {
  return [op](OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
    attributes.finish();
    reader.add(node, op, NoAttributes{}, all_inputs(reader, node));
  };
}

void read_cast(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const int64_t to = attributes.integer("to", 0);
  attributes.finish();
  const bool known = std::in_range<int32_t>(to);
  const DType dtype = from_onnx_dtype(known ? static_cast<int32_t>(to) : 0, "target of a Cast");
  reader.add(node, Op::Cast, CastAttributes{dtype}, all_inputs(reader, node));
}

void read_batch_norm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const float epsilon = attributes.real("epsilon", 1e-5F);
  attributes.real("momentum", 0.9F);  // of training only
  attributes.expect("training_mode", int64_t{0});
  attributes.finish();
  reader.add(node, Op::BatchNorm, BatchNormAttributes{epsilon}, all_inputs(reader, node));
}

void read_leaky_relu(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const float slope = attributes.real("alpha", 0.01F);
  attributes.finish();
  reader.add(node, Op::LeakyRelu, LeakyReluAttributes{slope}, all_inputs(reader, node));
}

/// Opset 11 moved the limits from attributes to inputs; one that is left out is no limit.
void read_clip(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  ClipAttributes result{std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()};
  if (reader.opset() < 11) {
    result.low = attributes.real("min", result.low);
    result.high = attributes.real("max", result.high);
  }
  attributes.finish();
  const auto limit = [&](int i, float otherwise) {
    if (i >= node.input_size() || node.input(i).empty()) {
      return otherwise;
    }
    const Tensor& value = reader.constant(node, i);
    if (value.dtype() != DType::F32 || value.size() != 1) {
      corrupt_node(node, "a limit must be one f32 value");
    }
    return value.data<float>()[0];
  };
  result.low = limit(1, result.low);
  result.high = limit(2, result.high);
  reader.add(node, Op::Clip, result, {reader.use(node, 0)});
}

ReadOp pool(Op op) {
  return [op](OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
    PoolAttributes result;
    result.kernel = attributes.integers("kernel_shape", {});
    result.stride = attributes.integers("strides", {1, 1});
    result.pads = attributes.integers("pads", {0, 0, 0, 0});
    attributes.expect_text("auto_pad", "NOTSET");
    attributes.expect("ceil_mode", int64_t{0});
    if (op == Op::MaxPool) {
      attributes.expect("storage_order", int64_t{0});
      if (attributes.integers("dilations", {1, 1}) != Shape{1, 1}) {
        unsupported_node(node, "dilated pooling");
      }
    } else if (result.pads == Shape{0, 0, 0, 0}) {
      attributes.integer("count_include_pad", 0);  // makes no difference without padding
    } else {
      attributes.expect("count_include_pad", int64_t{0});
    }
    attributes.finish();
    reader.add(node, op, std::move(result), all_inputs(reader, node));
  };
}

void read_flatten(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const int64_t axis = axis_of(node, attributes.integer("axis", 1), reader.shape(node, 0));
  attributes.finish();
  if (axis != 1) {
    unsupported_node(node, fmt::format("axis {}; supported: 1, which keeps the batch", axis));
  }
  reader.add(node, Op::Flatten, NoAttributes{}, all_inputs(reader, node));
}

void read_concat(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const int64_t axis = axis_of(node, attributes.integer("axis", 0), reader.shape(node, 0));
  attributes.finish();
  reader.add(node, Op::Concat, AxisAttributes{axis}, all_inputs(reader, node));
}

/// Opset 12 moved the ratio from an attribute to an input.
void read_dropout(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  float rate = 0.5F;
  if (reader.opset() < 12) {
    rate = attributes.real("ratio", rate);
  } else if (node.input_size() > 1 && !node.input(1).empty()) {
    const Tensor& ratio = reader.constant(node, 1);
    if (ratio.dtype() != DType::F32 || ratio.size() != 1) {
      corrupt_node(node, "the ratio must be one f32 value");
    }
    rate = ratio.data<float>()[0];
  }
  attributes.integer("seed", 0);  // of training only
  attributes.finish();
  const DropoutGrain grain = read_dropout_remark(node.doc_string());
  reader.add(node, Op::Dropout, DropoutAttributes{rate, grain}, {reader.use(node, 0)});
}

/// Before opset 13 all dimensions from the axis on were one; the two agree on the last axis.
void read_softmax(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Shape& shape = reader.shape(node, 0);
  const int64_t otherwise = reader.opset() < 13 ? 1 : -1;
  const int64_t axis = axis_of(node, attributes.integer("axis", otherwise), shape);
  attributes.finish();
  if (reader.opset() < 13 && axis + 1 != std::ssize(shape)) {
    unsupported_node(node, "over several axes; export with opset 13");
  }
  reader.add(node, Op::Softmax, AxisAttributes{axis}, all_inputs(reader, node));
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
      inputs.push_back(
          reader.add_weight(node.output(0) + ".zero_point", Tensor(dtype, scale.shape())));
    }
    reader.add(node, op, AxisAttributes{axis}, std::move(inputs));
  };
}

void read_identity(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.finish();
  const std::string target = reader.alias_target(node, 0);
  reader.add_alias(node.output(0), target);
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

/// Every op that can be read, once.
const std::map<std::string_view, ReadOp>& readers() {
  static const std::map<std::string_view, ReadOp> kReaders{
      {"Add", plain(Op::Add)},
      {"AveragePool", pool(Op::AveragePool)},
      {"BatchNormalization", read_batch_norm},
      {"Cast", read_cast},
      {"Clip", read_clip},
      {"Concat", read_concat},
      {"Constant", read_constant},
      {"Conv", read_conv},
      {"DequantizeLinear", linear_quantization(Op::DequantizeLinear)},
      {"Div", plain(Op::Div)},
      {"Dropout", read_dropout},
      {"Erf", plain(Op::Erf)},
      {"Flatten", read_flatten},
      {"Gemm", read_gemm},
      {"GlobalAveragePool", plain(Op::GlobalAveragePool)},
      {"HardSwish", plain(Op::HardSwish)},
      {"Identity", read_identity},
      {"LeakyRelu", read_leaky_relu},
      {"MatMul", read_matmul},
      {"MaxPool", pool(Op::MaxPool)},
      {"Mul", plain(Op::Mul)},
      {"QuantizeLinear", linear_quantization(Op::QuantizeLinear)},
      {"Relu", plain(Op::Relu)},
      {"Reshape", read_reshape},
      {"Resize", read_resize},
      {"Sigmoid", plain(Op::Sigmoid)},
      {"Slice", read_slice},
      {"Softmax", read_softmax},
      {"Sub", plain(Op::Sub)},
      {"Tanh", plain(Op::Tanh)},
  };
  return kReaders;
}

}  // namespace

void read_onnx_node(OnnxReader& reader, const onnx::NodeProto& node) {
  const auto it = readers().find(node.op_type());
  const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
  if (it == readers().end() || !standard) {
    std::vector<std::string_view> names;
    for (const auto& [name, read] : readers()) {
      names.push_back(name);
    }
    unsupported_node(node, fmt::format("not supported; supported: {}", fmt::join(names, ", ")));
  }
  if (node.output_size() == 0) {
    corrupt_node(node, "no output");
  }
  for (int i = 1; i < node.output_size(); ++i) {
    // A dropout's mask matters in training only; a node that read it would not find it.
    if (!node.output(i).empty() && node.op_type() != "Dropout") {
      unsupported_node(node, "more than one output");
    }
  }
  AttributeReader attributes(node);
  it->second(reader, node, attributes);
}

}  // namespace coppice::graph
