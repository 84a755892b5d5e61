#include <algorithm>

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

/// stride * (in - 1) + dilation * (kernel - 1) + 1 - pads + output padding, per side.
ValueType infer_conv_transpose(const Node& node, Operands in) {
  require_activation(node, in, 0, 4);
  require_weight(node, in, 4);
  const auto& conv = node.as<ConvTransposeAttributes>();
  const Shape& x = in[0].shape;
  const Shape& weight = in[1].shape;
  require_list(node, "kernel", conv.kernel, 2, 1);
  require_list(node, "stride", conv.stride, 2, 1);
  require_list(node, "dilation", conv.dilation, 2, 1);
  require_list(node, "pads", conv.pads, 4, 0);
  require_list(node, "output padding", conv.output_padding, 2, 0);
  if (Shape{weight[2], weight[3]} != conv.kernel) {
    fail(node, "kernel {} differs from weight {}", to_string(conv.kernel), to_string(weight));
  }
  if (weight[0] != x[1] || conv.groups < 1 || x[1] % conv.groups != 0) {
    fail(node,
         "weight {} and {} groups do not fit input {}",
         to_string(weight),
         conv.groups,
         to_string(x));
  }
  if (weight[1] > kLargestDimension / conv.groups) {
    fail(node, "weight {} makes too many channels", to_string(weight));
  }
  const int64_t out = weight[1] * conv.groups;
  require_bias(node, in, out);
  Shape shape{kBatch, out};
  for (size_t i = 0; i < 2; ++i) {
    if (conv.output_padding[i] >= std::max(conv.stride[i], conv.dilation[i])) {
      fail(node, "output padding {} is not below the stride", to_string(conv.output_padding));
    }
    const int64_t full =
        conv.stride[i] * (x[2 + i] - 1) + conv.dilation[i] * (conv.kernel[i] - 1) + 1;
    shape.push_back(full - conv.pads[i] - conv.pads[2 + i] + conv.output_padding[i]);
  }
  return {DType::F32, std::move(shape)};
}

ValueType infer_matmul(const Node& node, Operands in) {
  require_activation(node, in, 0);
  const Shape& a = in[0].shape;
  const Shape& b = in[1].shape;
  if (a.size() < 3) {
    fail(node, "input {} needs at least 3 dimensions; Gemm takes rows", to_string(a));
  }
  if (!in[1].is_batched()) {
    require_weight(node, in, 2);
  } else {
    require_activation(node, in, 1, a.size());
  }
  const size_t rank = b.size();
  const bool same_leading =
      !in[1].is_batched() || std::equal(a.begin(), a.end() - 2, b.begin(), b.end() - 2);
  if (!same_leading || a.back() != b[rank - 2]) {
    fail(node, "{} and {} do not multiply", to_string(a), to_string(b));
  }
  Shape shape = a;
  shape.back() = b[rank - 1];
  return {DType::F32, std::move(shape)};
}

ValueType infer_recurrent(const Node& node, Operands in) {
  require_activation(node, in, 0, 3);
  const int64_t gates = node.op == Op::Lstm ? 4 : 3;
  for (size_t i = 1; i < in.size(); ++i) {
    if (in[i].weight == nullptr || in[i].dtype != DType::F32) {
      fail(node, "'{}' must be an f32 weight", node.inputs[i]);
    }
  }
  const Shape& recurrent = in[2].shape;
  const int64_t hidden = recurrent.size() == 3 ? recurrent[2] : 0;
  const bool fits = hidden > 0 && hidden <= kLargestDimension / 8 &&
                    recurrent == Shape{1, gates * hidden, hidden} &&
                    in[1].shape == Shape{1, gates * hidden, in[0].shape[2]} &&
                    (in.size() < 4 || in[3].shape == Shape{1, 2 * gates * hidden});
  if (!fits) {
    fail(node,
         "weights {} and {} do not fit input {}: they must be [1, {} h, in] and [1, {} h, h], "
         "biases [1, {} h]",
         to_string(in[1].shape),
         to_string(recurrent),
         to_string(in[0].shape),
         gates,
         gates,
         2 * gates);
  }
  return {DType::F32, {kBatch, in[0].shape[1], hidden}};
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
  const auto& [scale, mode, size] = node.as<ResizeAttributes>();
  const Shape& x = in[0].shape;
  if (!size.empty()) {
    require_list(node, "size", size, 2, 1);
    return {DType::F32, {kBatch, x[1], size[0], size[1]}};
  }
  require_list(node, "scale", scale, 2, 1);
  return {DType::F32, {kBatch, x[1], x[2] * scale[0], x[3] * scale[1]}};
}

ValueType infer_global_pool(const Node& node, Operands in) {
  require_activation(node, in, 0, 4);
  return {DType::F32, {kBatch, in[0].shape[1], 1, 1}};
}

}  // namespace coppice::graph
