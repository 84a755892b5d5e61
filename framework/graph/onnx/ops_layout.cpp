#include "graph/onnx/ops_layout.h"

#include <algorithm>
#include <cmath>

namespace coppice::graph {

namespace {

/// Values of a sample; 0 for what has no batch.
int64_t sample_values(const Shape& shape) {
  const bool batched = !shape.empty() && shape[0] == kBatch;
  return batched ? element_count(Shape(shape.begin() + 1, shape.end())) : 0;
}

/// The one dimension given as -1 from what the others leave over; `target` as it is where that does
/// not divide.
Shape with_free_dimension(Shape target, int64_t values) {
  const auto free = std::find(target.begin(), target.end(), -1);
  if (free == target.end()) {
    return target;
  }
  int64_t others = 1;
  for (const int64_t dimension : target) {
    if (dimension != -1 && (dimension < 1 || dimension > values / others)) {
      return target;
    }
    others *= dimension == -1 ? 1 : dimension;
  }
  if (values % others == 0) {
    *free = values / others;
  }
  return target;
}

int64_t one_index(OnnxReader& reader, const onnx::NodeProto& node, int i, std::string_view what) {
  const Tensor& value = reader.constant(node, i);
  if (value.size() != 1 || (value.dtype() != DType::I64 && value.dtype() != DType::I32)) {
    unsupported_node(node, fmt::format("{}: supported: one integer", what));
  }
  return value.dtype() == DType::I64 ? value.data<int64_t>()[0] : int64_t{value.data<int32_t>()[0]};
}

}  // namespace

void read_reshape(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.expect("allowzero", int64_t{0});
  attributes.finish();
  const Tensor& target = reader.constant(node, 1);
  if (target.dtype() != DType::I64 || target.shape().size() != 1 || target.size() < 2) {
    unsupported_node(node, "supported: to the batch and at least one dimension");
  }
  const auto sizes = target.data<int64_t>();
  const std::string x = reader.use(node, 0);
  const Shape& shape = reader.shape(node, 0);
  const int64_t batch = sizes[0];
  const int64_t values = sample_values(shape);
  Shape sample(sizes.begin() + 1, sizes.end());
  if (batch != -1) {
    sample = with_free_dimension(std::move(sample), values);
  }
  int64_t wanted = 1;
  for (const int64_t dimension : sample) {
    wanted = dimension < 1 || dimension > kLargestSample / wanted ? 0 : wanted * dimension;
    if (wanted == 0) {
      break;
    }
  }
  const bool keeps_batch =
      batch == 0 || batch == -1 || (batch > 0 && batch == reader.fixed_batch());
  if (!keeps_batch || values == 0 || wanted != values) {
    unsupported_node(node,
                     fmt::format("from {} to {}; supported: batch and features",
                                 to_string(shape),
                                 to_string(Shape(sizes.begin(), sizes.end()))));
  }
  if (sample.size() == 1) {
    reader.add(node, Op::Flatten, NoAttributes{}, {x});
  } else {
    reader.add(node, Op::Reshape, ReshapeAttributes{std::move(sample)}, {x});
  }
}

void read_resize(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.expect_text("mode", "nearest");
  const auto text = [&](std::string_view name, std::string_view otherwise) {
    const auto* attribute = attributes.take(name);
    return attribute == nullptr ? std::string(otherwise) : attribute->s();
  };
  // By whole factors both ways of counting pixels pick the same one.
  const std::string coordinates = text("coordinate_transformation_mode", "half_pixel");
  const std::string rounding = text("nearest_mode", "round_prefer_floor");
  const bool same = (coordinates == "asymmetric" && rounding == "floor") ||
                    (coordinates == "half_pixel" && rounding == "round_prefer_floor");
  if (!same) {
    unsupported_node(node,
                     fmt::format("{} coordinates with {}; supported: asymmetric with floor, "
                                 "half_pixel with round_prefer_floor",
                                 coordinates,
                                 rounding));
  }
  attributes.real("cubic_coeff_a", 0);  // of another mode
  attributes.finish();
  const bool by_scales = node.input_size() == 3 && !node.input(2).empty();
  if (reader.opset() < 11 || !by_scales) {
    unsupported_node(node, "supported: by scales, since opset 11");
  }
  const Tensor& scales = reader.constant(node, 2);
  if (scales.dtype() != DType::F32 || scales.shape() != Shape{4}) {
    unsupported_node(node, "supported: four f32 scales");
  }
  const auto values = scales.data<float>();
  constexpr float kMost = 1024;
  for (size_t i = 0; i < 4; ++i) {
    const bool whole = values[i] >= 1 && values[i] <= kMost && std::trunc(values[i]) == values[i];
    if (!whole || (i < 2 && values[i] != 1)) {
      unsupported_node(node, "supported: height and width by whole factors");
    }
  }
  const ResizeAttributes result{{static_cast<int64_t>(values[2]), static_cast<int64_t>(values[3])}};
  reader.add(node, Op::Resize, result, {reader.use(node, 0)});
}

void read_slice(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.finish();
  if (reader.opset() < 10 || node.input_size() < 4) {
    unsupported_node(node, "supported: start, end and axis as inputs, since opset 10");
  }
  const Shape& shape = reader.shape(node, 0);
  const int64_t rank = std::ssize(shape);
  const bool stepped = node.input_size() > 4 && !node.input(4).empty();
  if (stepped && one_index(reader, node, 4, "steps") != 1) {
    unsupported_node(node, "supported: steps of 1");
  }
  int64_t axis = one_index(reader, node, 3, "axes");
  axis += axis < 0 ? rank : 0;
  if (axis < 1 || axis >= rank) {
    unsupported_node(node, fmt::format("axis {} of {}; the batch stays", axis, to_string(shape)));
  }
  const int64_t size = shape[static_cast<size_t>(axis)];
  const auto position = [&](int i, std::string_view what) {
    const int64_t given = one_index(reader, node, i, what);
    const int64_t clamped =
        std::clamp(given, -size, size);  // files write "to the end" as a huge one
    return clamped < 0 ? clamped + size : clamped;
  };
  const SliceAttributes result{axis, position(1, "starts"), position(2, "ends")};
  reader.add(node, Op::Slice, result, {reader.use(node, 0)});
}

}  // namespace coppice::graph
