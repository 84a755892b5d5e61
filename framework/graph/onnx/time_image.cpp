#include "graph/onnx/time_image.h"

namespace coppice::graph {

namespace {

const std::vector<Shape> kSeenAsRows{{0}, {1}, {3}};

}  // namespace

TimeImage image_of(OnnxReader& reader, const onnx::NodeProto& node) {
  const View view = reader.view(node, 0);
  const size_t rank = view.dims.size();
  if (rank == 4) {
    return {reader.use(node, 0), false};
  }
  if (rank != 3) {
    unsupported_node(node, "supported: over height and width, or over time");
  }
  const Shape& shape = reader.node_shape(view);
  if (view.dims == kSeenAsRows && shape.size() == 4 && shape[2] == 1) {
    return {view.node, true};
  }
  const std::string rows = reader.use(node, 0);
  const Shape& row_shape = reader.shape(node, 0);
  return {reader.reshape(node, rows, {row_shape[1], 1, row_shape[2]}), true};
}

void add_over_image(OnnxReader& reader,
                    const onnx::NodeProto& node,
                    const TimeImage& image,
                    Op op,
                    Attributes attributes,
                    std::vector<std::string> inputs) {
  inputs.insert(inputs.begin(), image.node);
  if (!image.over_time) {
    reader.add(node, op, std::move(attributes), std::move(inputs));
    return;
  }
  const std::string made = reader.make(node, op, std::move(attributes), std::move(inputs));
  reader.define(node, 0, {made, kSeenAsRows}, /*keep=*/true);
}

Shape spatial(const onnx::NodeProto& node, const TimeImage& image, Shape values, int64_t height) {
  if (!image.over_time) {
    return values;
  }
  if (values.size() != 1) {
    unsupported_node(node, fmt::format("{} over time", to_string(values)));
  }
  values.insert(values.begin(), height);
  return values;
}

Shape spatial_pads(const onnx::NodeProto& node, const TimeImage& image, Shape values) {
  if (!image.over_time) {
    return values;
  }
  if (values.size() != 2) {
    unsupported_node(node, fmt::format("pads {} over time", to_string(values)));
  }
  return {0, values[0], 0, values[1]};
}

}  // namespace coppice::graph
