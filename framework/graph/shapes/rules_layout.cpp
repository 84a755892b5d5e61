#include <algorithm>
#include <numeric>

#include "graph/shapes/rules.h"

namespace coppice::graph {

ValueType infer_flatten(const Node& node, Operands in) {
  require_activation(node, in, 0);
  int64_t features = 1;
  for (size_t i = 1; i < in[0].shape.size(); ++i) {
    features *= in[0].shape[i];  // bounded: inference refuses samples above kLargestSample
  }
  return {DType::F32, {kBatch, features}};
}

ValueType infer_reshape(const Node& node, Operands in) {
  require_activation(node, in, 0);
  const Shape& sample = node.as<ReshapeAttributes>().sample;
  if (sample.size() < 2) {
    fail(node,
         "new shape {} needs at least two dimensions beside the batch; Flatten makes one",
         to_string(sample));
  }
  int64_t given = 1;
  for (size_t i = 1; i < in[0].shape.size(); ++i) {
    given *= in[0].shape[i];
  }
  int64_t wanted = 1;
  for (const int64_t dimension : sample) {
    if (dimension < 1 || dimension > kLargestSample / wanted) {
      fail(node, "new shape {} out of range", to_string(sample));
    }
    wanted *= dimension;
  }
  if (given != wanted) {
    fail(node,
         "new shape {} holds {} values, input {} has {}",
         to_string(sample),
         wanted,
         to_string(in[0].shape),
         given);
  }
  Shape shape = sample;
  shape.insert(shape.begin(), kBatch);
  return {DType::F32, std::move(shape)};
}

ValueType infer_slice(const Node& node, Operands in) {
  require_activation(node, in, 0);
  Shape shape = in[0].shape;
  const auto& [axis, start, end, step] = node.as<SliceAttributes>();
  if (axis < 1 || axis >= std::ssize(shape)) {
    fail(node, "axis {} outside 1 to {}", axis, std::ssize(shape) - 1);
  }
  int64_t& size = shape[static_cast<size_t>(axis)];
  if (start < 0 || end <= start || end > size) {
    fail(node, "[{}, {}) is no part of axis {} of {}", start, end, axis, to_string(shape));
  }
  if (step < 1) {
    fail(node, "step {} must be positive", step);
  }
  size = (end - start - 1) / step + 1;
  return {DType::F32, std::move(shape)};
}

ValueType infer_transpose(const Node& node, Operands in) {
  require_activation(node, in, 0);
  const Shape& from = in[0].shape;
  const Shape& order = node.as<TransposeAttributes>().order;
  Shape sorted = order;
  std::sort(sorted.begin(), sorted.end());
  Shape all(from.size());
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all || order[0] != 0) {
    fail(node,
         "order {} of {} must name every dimension, the batch first",
         to_string(order),
         to_string(from));
  }
  Shape shape;
  for (const int64_t axis : order) {
    shape.push_back(from[static_cast<size_t>(axis)]);
  }
  return {DType::F32, std::move(shape)};
}

ValueType infer_pad(const Node& node, Operands in) {
  require_activation(node, in, 0);
  const auto& [pads, mode, value] = node.as<PadAttributes>();
  Shape shape = in[0].shape;
  if (pads.size() != 2 * shape.size() || pads[0] != 0 || pads[shape.size()] != 0) {
    fail(node, "pads {} must have two per dimension, none at the batch", to_string(pads));
  }
  for (size_t i = 1; i < shape.size(); ++i) {
    for (const int64_t pad : {pads[i], pads[shape.size() + i]}) {
      if (pad < 0 || pad > kLargestDimension ||
          (mode == PadMode::Reflect && pad >= in[0].shape[i])) {
        fail(node, "pads {} out of range for {}", to_string(pads), to_string(in[0].shape));
      }
      shape[i] += pad;
    }
  }
  return {DType::F32, std::move(shape)};
}

ValueType infer_reduce(const Node& node, Operands in) {
  require_activation(node, in, 0);
  Shape shape = in[0].shape;
  int64_t before = 0;
  const Shape& axes = node.as<ReduceAttributes>().axes;
  if (axes.empty()) {
    fail(node, "no axes");
  }
  for (const int64_t axis : axes) {
    if (axis <= before || axis >= std::ssize(shape)) {
      fail(node, "axes {} must ascend from 1 to {}", to_string(axes), std::ssize(shape) - 1);
    }
    shape[static_cast<size_t>(axis)] = 1;
    before = axis;
  }
  return {DType::F32, std::move(shape)};
}

ValueType infer_concat(const Node& node, Operands in) {
  Shape shape = in[0].shape;
  const int64_t axis = node.as<AxisAttributes>().axis;
  if (axis < 1 || axis >= std::ssize(shape)) {
    fail(node, "axis {} outside 1 to {}", axis, std::ssize(shape) - 1);
  }
  const auto at = static_cast<size_t>(axis);
  int64_t joined = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    require_activation(node, in, i, shape.size());
    const Shape& part = in[i].shape;
    for (size_t d = 0; d < shape.size(); ++d) {
      if (d != at && part[d] != shape[d]) {
        fail(node,
             "inputs {} and {} differ beside axis {}",
             to_string(in[0].shape),
             to_string(part),
             axis);
      }
    }
    joined += part[at];
  }
  shape[at] = joined;
  return {DType::F32, std::move(shape)};
}

}  // namespace coppice::graph
