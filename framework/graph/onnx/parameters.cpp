#include "graph/onnx/parameters.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace coppice::graph {

int64_t axis_of(const onnx::NodeProto& node, int64_t axis, const Shape& shape) {
  const int64_t rank = std::ssize(shape);
  if (axis < -rank || axis >= rank) {
    corrupt_node(node, fmt::format("axis {} of {}", axis, to_string(shape)));
  }
  return axis < 0 ? axis + rank : axis;
}

size_t checked_rank(const onnx::NodeProto& node, size_t rank) {
  if (rank > kMostDimensions) {
    unsupported_node(node, fmt::format("{} dimensions, at most {}", rank, kMostDimensions));
  }
  return rank;
}

Shape integers_of(OnnxReader& reader, const onnx::NodeProto& node, int i) {
  const Tensor& value = reader.constant(node, i);
  if (value.dtype() == DType::I64) {
    const auto values = value.data<int64_t>();
    return {values.begin(), values.end()};
  }
  if (value.dtype() != DType::I32) {
    corrupt_node(node, fmt::format("input {} must hold integers", i));
  }
  const auto values = value.data<int32_t>();
  return {values.begin(), values.end()};
}

std::optional<Shape> list_parameter(OnnxReader& reader,
                                    const onnx::NodeProto& node,
                                    AttributeReader& attributes,
                                    std::string_view name,
                                    int i,
                                    int64_t since) {
  if (reader.opset() >= since) {
    return OnnxReader::has(node, i) ? std::optional(integers_of(reader, node, i)) : std::nullopt;
  }
  return attributes.has(name) ? std::optional(attributes.integers(name, {})) : std::nullopt;
}

float real_of(OnnxReader& reader, const onnx::NodeProto& node, int i, std::string_view what) {
  const Tensor& value = reader.constant(node, i);
  if (value.dtype() != DType::F32 || value.size() != 1) {
    corrupt_node(node, fmt::format("{} must be one f32 value", what));
  }
  return value.data<float>()[0];
}

std::string text_of(AttributeReader& attributes,
                    std::string_view name,
                    std::string_view otherwise) {
  const auto* attribute = attributes.take(name);
  return attribute == nullptr ? std::string(otherwise) : attribute->s();
}

Range range_within(int64_t size, int64_t start, int64_t end, int64_t step) {
  const auto cut = [&](int64_t place, int64_t low, int64_t high) {
    const int64_t from_front = place < 0 ? std::max(place, -size - 1) + size : place;
    return std::clamp(from_front, low, high);
  };
  if (size == 0) {
    return {0, 0, step};
  }
  return step > 0 ? Range{cut(start, 0, size), cut(end, 0, size), step}
                  : Range{cut(start, 0, size - 1), cut(end, -1, size - 1), step};
}

SliceArguments slice_arguments(OnnxReader& reader,
                               const onnx::NodeProto& node,
                               AttributeReader& attributes,
                               const Shape& shape) {
  constexpr int64_t kSinceInputs = 10;
  const auto list = [&](std::string_view name, int i) {
    return list_parameter(reader, node, attributes, name, i, kSinceInputs);
  };
  SliceArguments result;
  result.starts = list("starts", 1).value_or(Shape{});
  result.ends = list("ends", 2).value_or(Shape{});
  Shape all(result.starts.size());
  std::iota(all.begin(), all.end(), 0);
  result.axes = list("axes", 3).value_or(all);
  result.steps = reader.opset() >= kSinceInputs && OnnxReader::has(node, 4)
                     ? integers_of(reader, node, 4)
                     : Shape(result.starts.size(), 1);
  attributes.finish();
  std::set<int64_t> seen;
  for (int64_t& axis : result.axes) {
    axis = axis_of(node, axis, shape);
    if (!seen.insert(axis).second) {
      corrupt_node(node, fmt::format("axis {} is given twice", axis));
    }
  }
  const size_t count = result.axes.size();
  if (result.starts.size() != count || result.ends.size() != count ||
      result.steps.size() != count || std::count(result.steps.begin(), result.steps.end(), 0) > 0) {
    corrupt_node(node, "starts, ends, axes and steps do not fit together");
  }
  return result;
}

}  // namespace coppice::graph
