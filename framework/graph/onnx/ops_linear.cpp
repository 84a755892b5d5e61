#include "graph/onnx/ops_linear.h"

namespace coppice::graph {

namespace {

/// Gemm's weight is [out, in]; one stored as [in, out] is transposed, under a name of its own.
std::string transposed_weight(OnnxReader& reader, const onnx::NodeProto& node) {
  const Tensor& stored = reader.constant(node, 1);
  if (stored.dtype() != DType::F32 || stored.shape().size() != 2) {
    unsupported_node(node, "the weight must be an f32 matrix");
  }
  const auto rows = static_cast<size_t>(stored.dim(0));
  const auto columns = static_cast<size_t>(stored.dim(1));
  Tensor weight(DType::F32, {stored.dim(1), stored.dim(0)});
  const auto from = stored.data<float>();
  const auto to = weight.data<float>();
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      to[j * rows + i] = from[i * columns + j];
    }
  }
  return reader.add_weight(node.input(1) + ".transposed", std::move(weight));
}

}  // namespace

void read_conv(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Shape weight = reader.shape(node, 1);
  if (weight.size() != 4) {
    unsupported_node(node, "supported: over height and width");
  }
  ConvAttributes result;
  result.kernel = attributes.integers("kernel_shape", {weight[2], weight[3]});
  result.stride = attributes.integers("strides", {1, 1});
  result.pads = attributes.integers("pads", {0, 0, 0, 0});
  result.dilation = attributes.integers("dilations", {1, 1});
  result.groups = attributes.integer("group", 1);
  attributes.expect_text("auto_pad", "NOTSET");
  attributes.finish();
  std::vector<std::string> inputs{reader.use(node, 0), reader.use(node, 1)};
  if (std::string bias = reader.use(node, 2); !bias.empty()) {
    inputs.push_back(std::move(bias));
  }
  reader.add(node, Op::Conv, std::move(result), std::move(inputs));
}

void read_gemm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.expect("alpha", 1.F);
  attributes.expect("beta", 1.F);
  attributes.expect("transA", int64_t{0});
  const bool transposed = attributes.integer("transB", 0) != 0;
  attributes.finish();
  std::vector<std::string> inputs{reader.use(node, 0)};
  inputs.push_back(transposed ? reader.use(node, 1) : transposed_weight(reader, node));
  if (node.input_size() > 2 && !node.input(2).empty()) {
    const Shape& shape = reader.shape(node, 2);
    if (shape.size() == 2 && shape[0] == 1) {
      const Tensor& bias = reader.constant(node, 2);
      inputs.push_back(reader.add_weight(node.input(2) + ".row", bias.reshaped({bias.dim(1)})));
    } else {
      inputs.push_back(reader.use(node, 2));
    }
  }
  reader.add(node, Op::Gemm, NoAttributes{}, std::move(inputs));
}

void read_matmul(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.finish();
  const std::string x = reader.use(node, 0);
  reader.add(node, Op::Gemm, NoAttributes{}, {x, transposed_weight(reader, node)});
}

}  // namespace coppice::graph
