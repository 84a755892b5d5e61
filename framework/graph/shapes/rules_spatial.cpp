#include "graph/shapes/rules.h"

namespace coppice::graph {

namespace {

void require_list(
    const Node& node, std::string_view what, const Shape& values, size_t size, int64_t least) {
  if (values.size() != size) {
    fail(node, "{} {} must have {} values", what, to_string(values), size);
  }
  for (const int64_t value : values) {
    if (value < least || value > kLargestDimension) {
      fail(node, "{} {} out of range", what, to_string(values));
    }
  }
}

struct Window {
  const Shape& kernel;
  const Shape& stride;
  const Shape& pads;
  Shape dilation{1, 1};
};

/// floor((in + pads - dilation * (kernel - 1) - 1) / stride) + 1, for height and width.
Shape slide(const Node& node, const Window& window, const Shape& in) {
  require_list(node, "kernel", window.kernel, 2, 1);
  require_list(node, "stride", window.stride, 2, 1);
  require_list(node, "dilation", window.dilation, 2, 1);
  require_list(node, "pads", window.pads, 4, 0);
  Shape result;
  for (size_t i = 0; i < 2; ++i) {
    const int64_t padded = in[2 + i] + window.pads[i] + window.pads[2 + i];
    const int64_t span = window.dilation[i] * (window.kernel[i] - 1) + 1;
    if (span > padded) {
      fail(
          node,
          "kernel {} does not fit into input {}: fewer strides or pools before it, or more padding",
          to_string(window.kernel),
          to_string(in));
    }
    result.push_back((padded - span) / window.stride[i] + 1);
  }
  return result;
}

void require_bias(const Node& node, Operands in, int64_t out) {
  if (in.size() > 2 && (in[2].dtype != DType::F32 || in[2].shape != Shape{out})) {
    fail(node,
         "bias '{}' is {} {}, must be f32 [{}]",
         node.inputs[2],
         to_string(in[2].dtype),
         to_string(in[2].shape),
         out);
  }
}

void require_weight(const Node& node, Operands in, size_t rank) {
  const Operand& weight = in[1];
  if (weight.dtype != DType::F32 || weight.shape.size() != rank || weight.is_batched()) {
    fail(node,
         "weight '{}' is {} {}, must be f32 with {} dimensions",
         node.inputs[1],
         to_string(weight.dtype),
         to_string(weight.shape),
         rank);
  }
}

}  // namespace

ValueType infer_conv(const Node& node, Operands in) {
  require_activation(node, in, 0, 4);
  require_weight(node, in, 4);
  const auto& conv = node.as<ConvAttributes>();
  const Shape& x = in[0].shape;
  const Shape& weight = in[1].shape;
  if (Shape{weight[2], weight[3]} != conv.kernel) {
    fail(node, "kernel {} differs from weight {}", to_string(conv.kernel), to_string(weight));
  }
  if (conv.groups < 1 || x[1] % conv.groups != 0 || weight[0] % conv.groups != 0) {
    fail(node,
         "{} groups do not divide {} input and {} output channels",
         conv.groups,
         x[1],
         weight[0]);
  }
  if (weight[1] != x[1] / conv.groups) {
    fail(node,
         "weight {} takes {} channels per group, input {} has {}",
         to_string(weight),
         weight[1],
         to_string(x),
         x[1] / conv.groups);
  }
  require_bias(node, in, weight[0]);
  const Shape size = slide(node, {conv.kernel, conv.stride, conv.pads, conv.dilation}, x);
  return {DType::F32, {kBatch, weight[0], size[0], size[1]}};
}

ValueType infer_gemm(const Node& node, Operands in) {
  require_activation(node, in, 0, 2);
  require_weight(node, in, 2);
  const Shape& x = in[0].shape;
  const Shape& weight = in[1].shape;
  if (weight[1] != x[1]) {
    fail(node,
         "weight {} takes {} features, input {} has {}",
         to_string(weight),
         weight[1],
         to_string(x),
         x[1]);
  }
  require_bias(node, in, weight[0]);
  return {DType::F32, {kBatch, weight[0]}};
}

ValueType infer_pool(const Node& node, Operands in) {
  require_activation(node, in, 0, 4);
  const auto& pool = node.as<PoolAttributes>();
  const Shape& x = in[0].shape;
  const Shape size = slide(node, {pool.kernel, pool.stride, pool.pads}, x);
  for (size_t i = 0; i < 4; ++i) {
    if (pool.pads[i] >= pool.kernel[i % 2]) {
      fail(node,
           "pads {} must be smaller than kernel {}",
           to_string(pool.pads),
           to_string(pool.kernel));
    }
  }
  return {DType::F32, {kBatch, x[1], size[0], size[1]}};
}

ValueType infer_resize(const Node& node, Operands in) {
  require_activation(node, in, 0, 4);
  const Shape& scale = node.as<ResizeAttributes>().scale;
  require_list(node, "scale", scale, 2, 1);
  const Shape& x = in[0].shape;
  return {DType::F32, {kBatch, x[1], x[2] * scale[0], x[3] * scale[1]}};
}

ValueType infer_global_pool(const Node& node, Operands in) {
  require_activation(node, in, 0, 4);
  return {DType::F32, {kBatch, in[0].shape[1], 1, 1}};
}

}  // namespace coppice::graph
