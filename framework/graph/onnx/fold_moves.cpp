#include <algorithm>
#include <cstring>

#include "graph/onnx/folds.h"
#include "graph/onnx/parameters.h"

namespace coppice::graph {

Tensor pick(OnnxReader& reader,
            const onnx::NodeProto& node,
            const Tensor& from,
            Shape shape,
            const std::function<int64_t(Shape&)>& source) {
  const int64_t count = element_count(shape);
  if (count > std::max(from.size(), kMostFoldedValues)) {
    unsupported_node(node, fmt::format("constant of {} values", count));
  }
  Tensor result = reader.budget().tensor(node, from.dtype(), shape);
  const auto size = static_cast<size_t>(size_bytes(from.dtype()));
  Shape index(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    Shape place = index;
    std::memcpy(result.bytes() + static_cast<size_t>(i) * size,
                from.bytes() + static_cast<size_t>(source(place)) * size,
                size);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) {
        break;
      }
      index[d] = 0;
    }
  }
  return result;
}

int64_t flat(const Shape& index, const Shape& shape) {
  int64_t place = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    place = place * shape[d] + index[d];
  }
  return place;
}

Tensor integers(const Shape& values) {
  return Tensor::from<int64_t>({std::ssize(values)}, values);
}

Tensor fold_transpose(OnnxReader& reader,
                      const onnx::NodeProto& node,
                      AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  Shape order;
  for (size_t i = x.shape().size(); i-- > 0;) {
    order.push_back(static_cast<int64_t>(i));
  }
  order = attributes.integers("perm", order);
  if (order.size() != x.shape().size()) {
    corrupt_node(node, fmt::format("order {} of {}", to_string(order), to_string(x.shape())));
  }
  Shape shape;
  std::vector<bool> seen(order.size());
  for (const int64_t axis : order) {
    if (axis < 0 || axis >= std::ssize(order) || seen[static_cast<size_t>(axis)]) {
      corrupt_node(node, fmt::format("order {} of {}", to_string(order), to_string(x.shape())));
    }
    seen[static_cast<size_t>(axis)] = true;
    shape.push_back(x.dim(static_cast<size_t>(axis)));
  }
  return pick(reader, node, x, std::move(shape), [&](Shape& index) {
    Shape place(index.size());
    for (size_t d = 0; d < index.size(); ++d) {
      place[static_cast<size_t>(order[d])] = index[d];
    }
    return flat(place, x.shape());
  });
}

Tensor fold_gather(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const auto axis = static_cast<size_t>(axis_of(node, attributes.integer("axis", 0), x.shape()));
  Shape indices = integers_of(reader, node, 1);
  for (int64_t& index : indices) {
    if (index < -x.dim(axis) || index >= x.dim(axis)) {
      corrupt_node(node, fmt::format("index {} of {}", index, to_string(x.shape())));
    }
    index += index < 0 ? x.dim(axis) : 0;
  }
  const Shape& picked = reader.constant(node, 1).shape();
  Shape shape(x.shape().begin(), x.shape().begin() + static_cast<ptrdiff_t>(axis));
  shape.insert(shape.end(), picked.begin(), picked.end());
  shape.insert(shape.end(), x.shape().begin() + static_cast<ptrdiff_t>(axis) + 1, x.shape().end());
  return pick(reader, node, x, shape, [&](Shape& index) {
    const auto first = index.begin() + static_cast<ptrdiff_t>(axis);
    const auto last = first + std::ssize(picked);
    const int64_t chosen = indices[static_cast<size_t>(flat(Shape(first, last), picked))];
    index.erase(first, last);
    index.insert(index.begin() + static_cast<ptrdiff_t>(axis), chosen);
    return flat(index, x.shape());
  });
}

Tensor fold_slice(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const SliceArguments arguments = slice_arguments(reader, node, attributes, x.shape());
  std::vector<Range> ranges(x.shape().size());
  Shape shape = x.shape();
  for (size_t i = 0; i < arguments.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(arguments.axes[i]);
    const Range range =
        range_within(x.dim(axis),
                     arguments.starts[i],
                     arguments.ends[i],
                     std::clamp<int64_t>(arguments.steps[i], -x.dim(axis) - 1, x.dim(axis) + 1));
    ranges[axis] = range;
    const int64_t way = range.step > 0 ? range.end - range.start : range.start - range.end;
    shape[axis] = way <= 0 ? 0 : (way - 1) / std::abs(range.step) + 1;
  }
  return pick(reader, node, x, shape, [&](Shape& index) {
    for (size_t d = 0; d < index.size(); ++d) {
      index[d] = ranges[d].start + index[d] * ranges[d].step;
    }
    return flat(index, x.shape());
  });
}

Tensor fold_concat(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& first = reader.constant(node, 0);
  const auto axis =
      static_cast<size_t>(axis_of(node, attributes.integer("axis", 0), first.shape()));
  Shape shape = first.shape();
  shape[axis] = 0;
  for (int i = 0; i < node.input_size(); ++i) {
    const Tensor& part = reader.constant(node, i);
    Shape other = part.shape();
    if (other.size() != shape.size() || part.dtype() != first.dtype()) {
      corrupt_node(node, "inputs of several kinds");
    }
    shape[axis] += other[axis];
    other[axis] = first.dim(axis);
    if (other != first.shape()) {
      corrupt_node(node, "inputs differ beside the axis");
    }
  }
  Tensor result = reader.budget().tensor(node, first.dtype(), shape);
  int64_t outer = 1;
  for (size_t d = 0; d < axis; ++d) {
    outer *= shape[d];
  }
  const int64_t row = outer == 0 ? 0 : result.bytes_size() / outer;
  int64_t offset = 0;
  for (int i = 0; i < node.input_size(); ++i) {
    const Tensor& part = reader.constant(node, i);
    const int64_t bytes = outer == 0 ? 0 : part.bytes_size() / outer;
    for (int64_t o = 0; o < outer; ++o) {
      std::memcpy(
          result.bytes() + o * row + offset, part.bytes() + o * bytes, static_cast<size_t>(bytes));
    }
    offset += bytes;
  }
  return result;
}

}  // namespace coppice::graph
