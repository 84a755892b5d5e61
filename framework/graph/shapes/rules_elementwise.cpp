#include <algorithm>
#include <cmath>

#include "graph/shapes/rules.h"

namespace coppice::graph {

ValueType infer_input(const Node& node, Operands) {
  const auto& attributes = node.as<InputAttributes>();
  if (attributes.shape.size() < 2 || attributes.shape[0] != kBatch) {
    fail(node, "shape {} must be the batch and a sample", to_string(attributes.shape));
  }
  return {attributes.dtype, attributes.shape};
}

ValueType infer_cast(const Node& node, Operands in) {
  if (!in[0].is_batched()) {
    fail(node, "input '{}' is no activation", node.inputs[0]);
  }
  return {node.as<CastAttributes>().to, in[0].shape};
}

/// Broadcasting as in NumPy; the batch spreads over 1 only.
ValueType infer_binary(const Node& node, Operands in) {
  for (size_t i = 0; i < 2; ++i) {
    if (in[i].dtype != DType::F32) {
      fail(node, "input '{}' is {}, must be f32", node.inputs[i], to_string(in[i].dtype));
    }
  }
  const Shape& a = in[0].shape;
  const Shape& b = in[1].shape;
  Shape shape(std::max(a.size(), b.size()), 1);
  for (size_t i = 1; i <= shape.size(); ++i) {
    const int64_t left = i <= a.size() ? a[a.size() - i] : 1;
    const int64_t right = i <= b.size() ? b[b.size() - i] : 1;
    if (left != right && left != 1 && right != 1) {
      fail(node, "shapes {} and {} do not broadcast", to_string(a), to_string(b));
    }
    shape[shape.size() - i] = left == 1 ? right : left;
  }
  if (std::find(shape.begin() + std::min<ptrdiff_t>(1, std::ssize(shape)), shape.end(), kBatch) !=
      shape.end()) {
    fail(node, "shapes {} and {} broadcast beyond the batch", to_string(a), to_string(b));
  }
  if (shape.empty() || shape[0] != kBatch) {
    fail(node, "neither input is an activation");
  }
  return {DType::F32, std::move(shape)};
}

ValueType infer_unary(const Node& node, Operands in) {
  require_activation(node, in, 0);
  if (node.op == Op::Dropout) {
    const float rate = node.as<DropoutAttributes>().rate;
    if (!(rate >= 0 && rate < 1)) {
      fail(node, "rate {} outside [0, 1)", rate);
    }
  } else if (node.op == Op::LeakyRelu) {
    if (!std::isfinite(node.as<LeakyReluAttributes>().slope)) {
      fail(node, "slope must be finite");
    }
  } else if (node.op == Op::Clip) {
    const auto& [low, high] = node.as<ClipAttributes>();
    if (!(low < high)) {
      fail(node, "low {} must be less than high {}", low, high);
    }
  }
  return {DType::F32, in[0].shape};
}

ValueType infer_batch_norm(const Node& node, Operands in) {
  require_activation(node, in, 0);
  const Shape channels{in[0].shape[1]};
  for (size_t i = 1; i < in.size(); ++i) {
    if (in[i].shape != channels || in[i].dtype != DType::F32) {
      fail(node,
           "'{}' is {} {}, must be f32 {}",
           node.inputs[i],
           to_string(in[i].dtype),
           to_string(in[i].shape),
           to_string(channels));
    }
  }
  if (!(node.as<BatchNormAttributes>().epsilon >= 0)) {
    fail(node, "epsilon must not be negative");
  }
  return {DType::F32, in[0].shape};
}

ValueType infer_layer_norm(const Node& node, Operands in) {
  require_activation(node, in, 0);
  const auto& [axis, epsilon] = node.as<LayerNormAttributes>();
  const Shape& x = in[0].shape;
  if (axis < 1 || axis >= std::ssize(x)) {
    fail(node, "axis {} outside 1 to {}", axis, std::ssize(x) - 1);
  }
  const Shape normalised(x.begin() + axis, x.end());
  for (size_t i = 1; i < in.size(); ++i) {
    if (in[i].weight == nullptr || in[i].shape != normalised || in[i].dtype != DType::F32) {
      fail(node, "'{}' must be an f32 weight {}", node.inputs[i], to_string(normalised));
    }
  }
  if (!(epsilon >= 0)) {
    fail(node, "epsilon must not be negative");
  }
  return {DType::F32, x};
}

ValueType infer_prelu(const Node& node, Operands in) {
  require_activation(node, in, 0);
  const Shape& x = in[0].shape;
  const Shape& slope = in[1].shape;
  bool fits = in[1].weight != nullptr && in[1].dtype == DType::F32 && slope.size() <= x.size();
  for (size_t i = 1; fits && i <= slope.size(); ++i) {
    fits = slope[slope.size() - i] == 1 || slope[slope.size() - i] == x[x.size() - i];
  }
  if (!fits) {
    fail(node,
         "slope '{}' of shape {} must be an f32 weight that spreads over {}",
         node.inputs[1],
         to_string(slope),
         to_string(x));
  }
  return {DType::F32, x};
}

ValueType infer_softmax(const Node& node, Operands in) {
  require_activation(node, in, 0);
  const int64_t axis = node.as<AxisAttributes>().axis;
  if (axis < 1 || axis >= std::ssize(in[0].shape)) {
    fail(node, "axis {} outside 1 to {}", axis, in[0].shape.size() - 1);
  }
  return {DType::F32, in[0].shape};
}

}  // namespace coppice::graph
