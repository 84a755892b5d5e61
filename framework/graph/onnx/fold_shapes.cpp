#include <algorithm>

#include "graph/onnx/folds.h"
#include "graph/onnx/parameters.h"

namespace coppice::graph {

Tensor fold_reshape(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.expect("allowzero", int64_t{0});
  const Tensor& x = reader.constant(node, 0);
  Shape target = integers_of(reader, node, 1);
  int64_t known = 1;
  int64_t* open = nullptr;
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 0 && i < x.shape().size()) {
      target[i] = x.dim(i);
    }
    if (target[i] == -1 && open == nullptr) {
      open = &target[i];
    } else if (target[i] < 0 || __builtin_mul_overflow(known, target[i], &known)) {
      corrupt_node(node, fmt::format("shape {}", to_string(target)));
    }
  }
  if (open != nullptr) {
    *open = known > 0 ? x.size() / known : 0;
    known *= *open;
  }
  if (known != x.size()) {
    corrupt_node(node, fmt::format("{} from {}", to_string(target), to_string(x.shape())));
  }
  return x.reshaped(std::move(target));
}

Tensor fold_unsqueeze(OnnxReader& reader,
                      const onnx::NodeProto& node,
                      AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  Shape shape = x.shape();
  Shape axes = list_parameter(reader, node, attributes, "axes", 1, 13).value_or(Shape{});
  const Shape result(checked_rank(node, shape.size() + axes.size()), 1);
  for (int64_t& axis : axes) {
    axis = axis_of(node, axis, result);
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) {
    corrupt_node(node, fmt::format("axes {}", to_string(axes)));
  }
  for (const int64_t axis : axes) {
    shape.insert(shape.begin() + std::min<int64_t>(axis, std::ssize(shape)), 1);
  }
  return x.reshaped(std::move(shape));
}

Tensor fold_squeeze(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const auto axes = list_parameter(reader, node, attributes, "axes", 1, 13);
  std::vector<bool> dropped(x.shape().size(), !axes);
  for (const int64_t axis : axes.value_or(Shape{})) {
    dropped[static_cast<size_t>(axis_of(node, axis, x.shape()))] = true;
  }
  Shape shape;
  for (size_t i = 0; i < dropped.size(); ++i) {
    if (!dropped[i] || (!axes && x.dim(i) != 1)) {
      shape.push_back(x.dim(i));
    }
  }
  if (element_count(shape) != x.size()) {
    corrupt_node(node, fmt::format("{} has more than one place there", to_string(x.shape())));
  }
  return x.reshaped(std::move(shape));
}

}  // namespace coppice::graph
