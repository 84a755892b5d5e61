#include <cmath>

#include "graph/shapes/rules.h"

namespace coppice::graph {

namespace {

/// One scale, or one per slice along the axis; the zero point has the scale's shape.
void require_scale(const Node& node, Operands in) {
  const Operand& scale = in[1];
  const Operand& zero_point = in[2];
  if (scale.weight == nullptr || zero_point.weight == nullptr || scale.dtype != DType::F32) {
    fail(node, "scale and zero point must be weights, the scale f32");
  }
  if (zero_point.shape != scale.shape) {
    fail(node,
         "scale {} and zero point {} must have one shape",
         to_string(scale.shape),
         to_string(zero_point.shape));
  }
  if (!scale.shape.empty() && scale.shape != Shape{1}) {
    const int64_t axis = node.as<AxisAttributes>().axis;
    if (axis < 0 || axis >= std::ssize(in[0].shape) ||
        scale.shape != Shape{in[0].shape[static_cast<size_t>(axis)]}) {
      fail(node,
           "scale {} does not fit axis {} of {}",
           to_string(scale.shape),
           axis,
           to_string(in[0].shape));
    }
  }
  for (const float value : scale.weight->data<float>()) {
    if (!(value > 0) || !std::isfinite(value)) {
      fail(node, "scale '{}' holds {}, must be positive", node.inputs[1], value);
    }
  }
}

}  // namespace

ValueType infer_quantize(const Node& node, Operands in) {
  require_activation(node, in, 0);
  require_scale(node, in);
  if (in[2].dtype != DType::I8 && in[2].dtype != DType::U8) {
    fail(node, "zero point is {}, must be i8 or u8", to_string(in[2].dtype));
  }
  return {in[2].dtype, in[0].shape};
}

ValueType infer_dequantize(const Node& node, Operands in) {
  require_scale(node, in);
  if (in[0].weight == nullptr && !in[0].is_batched()) {
    fail(node, "input '{}' is neither a weight nor an activation", node.inputs[0]);
  }
  const DType dtype = in[0].dtype;
  if (dtype != DType::I8 && dtype != DType::U8 && dtype != DType::I32) {
    fail(node, "input '{}' is {}, must be i8, u8 or i32", node.inputs[0], to_string(dtype));
  }
  if (in[2].dtype != dtype) {
    fail(node,
         "zero point is {}, input '{}' is {}",
         to_string(in[2].dtype),
         node.inputs[0],
         to_string(dtype));
  }
  return {DType::F32, in[0].shape};
}

}  // namespace coppice::graph
