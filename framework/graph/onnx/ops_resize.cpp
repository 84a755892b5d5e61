#include <cmath>

#include "graph/onnx/ops_layout.h"
#include "graph/onnx/parameters.h"
#include "graph/onnx/time_image.h"

namespace coppice::graph {

namespace {

/// Height and width from factors or sizes of all dimensions, of which the first two must stay.
Shape resized(OnnxReader& reader,
              const onnx::NodeProto& node,
              const TimeImage& image,
              const Shape& shape) {
  const auto given = [&](int i) {
    const Tensor* tensor = reader.find_constant(node, i);
    return OnnxReader::has(node, i) && (tensor == nullptr || tensor->size() > 0);
  };
  const int scales_at = reader.opset() < 11 ? 1 : 2;
  const size_t rank = image.over_time ? 3 : 4;
  Shape size{shape[2], shape[3]};
  if (given(3) && reader.opset() >= 11) {
    const Shape sizes = integers_of(reader, node, 3);
    const bool fits = sizes.size() == rank && sizes[1] == shape[1] &&
                      (sizes[0] == reader.batch_value() || sizes[0] == kSymbolicBatch);
    if (!fits) {
      unsupported_node(node, fmt::format("to {}; supported: height and width", to_string(sizes)));
    }
    size[1] = sizes.back();
    size[0] = image.over_time ? 1 : sizes[2];
    return size;
  }
  const Tensor& scales = reader.constant(node, scales_at);
  if (scales.dtype() != DType::F32 || scales.shape() != Shape{static_cast<int64_t>(rank)}) {
    unsupported_node(node, "supported: an f32 scale per dimension");
  }
  const auto values = scales.data<float>();
  constexpr auto kMost = static_cast<float>(kLargestDimension);
  for (size_t i = 0; i < rank; ++i) {
    if (!(values[i] > 0) || values[i] > kMost || (i < 2 && values[i] != 1)) {
      unsupported_node(node, "supported: positive scales of height and width");
    }
  }
  for (size_t i = 2; i < rank; ++i) {
    int64_t& side = size[i - (image.over_time ? 1 : 2)];
    side = static_cast<int64_t>(values[i] * static_cast<float>(side));
  }
  return size;
}

std::string joined(std::string_view coordinates, std::string_view rounding) {
  return fmt::format("{} coordinates with {}", coordinates, rounding);
}

}  // namespace

/// By whole factors the ways of counting pixels pick the same nearest one.
void read_resize(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const TimeImage image = image_of(reader, node);
  const Shape shape = reader.node_shape(identity_view(image.node, 4));
  const bool old = reader.opset() < 11;  // and Upsample
  const std::string mode = text_of(attributes, "mode", "nearest");
  const std::string coordinates =
      text_of(attributes, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const std::string rounding =
      text_of(attributes, "nearest_mode", old ? "floor" : "round_prefer_floor");
  attributes.real("cubic_coeff_a", 0);  // of another mode
  attributes.expect("exclude_outside", int64_t{0});
  attributes.real("extrapolation_value", 0);  // of another way of counting
  attributes.expect("antialias", int64_t{0});
  attributes.finish();

  ResizeAttributes result;
  result.size = resized(reader, node, image, shape);
  const bool whole = result.size[0] > 0 && result.size[1] > 0 && result.size[0] % shape[2] == 0 &&
                     result.size[1] % shape[3] == 0;
  if (whole) {
    result.scale = {result.size[0] / shape[2], result.size[1] / shape[3]};
    result.size.clear();
  }
  const bool half_pixel = coordinates == "half_pixel" || coordinates == "pytorch_half_pixel";
  if (mode == "nearest") {
    const bool plain = coordinates == "asymmetric" && rounding == "floor";
    const bool same = coordinates == "half_pixel" && rounding == "round_prefer_floor" && whole;
    if (!plain && !same) {
      unsupported_node(node,
                       fmt::format("nearest by {}; supported: {}, by whole factors also {}",
                                   joined(coordinates, rounding),
                                   joined("asymmetric", "floor"),
                                   joined("half_pixel", "round_prefer_floor")));
    }
  } else if (mode == "linear" && (half_pixel || coordinates == "align_corners")) {
    result.mode = half_pixel ? ResizeMode::Linear : ResizeMode::LinearCorners;
  } else {
    unsupported_node(
        node,
        fmt::format(
            "{} by {} coordinates; supported: nearest, linear by half_pixel or align_corners",
            mode,
            coordinates));
  }
  add_over_image(reader, node, image, Op::Resize, std::move(result), {});
}

}  // namespace coppice::graph
