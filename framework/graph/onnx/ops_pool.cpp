#include "graph/onnx/ops_pool.h"

#include <algorithm>

#include "graph/onnx/time_image.h"

namespace coppice::graph {

namespace {

/// Padding at the end that lets the last, partial window in: ceil((in + pads - kernel) / stride) +
/// 1 windows, of which none starts beyond the image and the padding before it.
void round_up(PoolAttributes& pool, const Shape& shape) {
  for (size_t i = 0; i < 2; ++i) {
    const int64_t in = shape[2 + i];
    const int64_t before = pool.pads[i];
    const int64_t kernel = pool.kernel[i];
    const int64_t stride = pool.stride[i];
    const int64_t room = in + before + pool.pads[2 + i] - kernel;
    const bool counts = before >= 0 && pool.pads[2 + i] >= 0 && kernel > 0 && stride > 0 &&
                        std::max({before, pool.pads[2 + i], kernel, stride}) <= kLargestDimension;
    if (!counts || room < 0) {
      return;  // left to the shape rule, which refuses it
    }
    int64_t last = (room + stride - 1) / stride;
    last -= last * stride >= in + before ? 1 : 0;
    pool.pads[2 + i] = std::max(pool.pads[2 + i], last * stride + kernel - in - before);
  }
}

PoolAttributes pool_attributes(OnnxReader& reader,
                               const onnx::NodeProto& node,
                               AttributeReader& attributes,
                               const TimeImage& image,
                               Shape* given_pads = nullptr) {
  const bool rows = image.over_time;
  PoolAttributes result;
  result.kernel = spatial(node, image, attributes.integers("kernel_shape", {}), 1);
  result.stride =
      spatial(node, image, attributes.integers("strides", rows ? Shape{1} : Shape{1, 1}), 1);
  result.pads = spatial_pads(
      node, image, attributes.integers("pads", rows ? Shape{0, 0} : Shape{0, 0, 0, 0}));
  if (given_pads != nullptr) {
    *given_pads = result.pads;
  }
  attributes.expect_text("auto_pad", "NOTSET");
  const bool lists_fit =
      result.kernel.size() == 2 && result.stride.size() == 2 && result.pads.size() == 4;
  const bool ceil = attributes.integer("ceil_mode", 0) != 0;
  if (ceil && lists_fit) {
    round_up(result, reader.node_shape(identity_view(image.node, 4)));
  }
  return result;
}

}  // namespace

void read_max_pool(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const TimeImage image = image_of(reader, node);
  PoolAttributes result = pool_attributes(reader, node, attributes, image);
  attributes.expect("storage_order", int64_t{0});
  const Shape dilations = attributes.integers("dilations", {1});
  attributes.finish();
  if (std::any_of(dilations.begin(), dilations.end(), [](int64_t d) { return d != 1; })) {
    unsupported_node(node, "dilated pooling");
  }
  add_over_image(reader, node, image, Op::MaxPool, std::move(result), {});
}

/// Padding that counts is put there before; what rounding up adds behind it never counts.
void read_average_pool(OnnxReader& reader,
                       const onnx::NodeProto& node,
                       AttributeReader& attributes) {
  TimeImage image = image_of(reader, node);
  const bool counts = attributes.integer("count_include_pad", 0) != 0;
  Shape given;
  PoolAttributes result = pool_attributes(reader, node, attributes, image, &given);
  attributes.finish();
  const bool any = std::any_of(given.begin(), given.end(), [](int64_t pad) { return pad != 0; });
  if (counts && any && given.size() == 4 && result.pads.size() == 4) {
    image.node = reader.make(node,
                             Op::Pad,
                             PadAttributes{{0, 0, given[0], given[1], 0, 0, given[2], given[3]}},
                             {image.node});
    for (size_t i = 0; i < 4; ++i) {
      result.pads[i] -= given[i];
    }
  }
  add_over_image(reader, node, image, Op::AveragePool, std::move(result), {});
}

void read_global_average_pool(OnnxReader& reader,
                              const onnx::NodeProto& node,
                              AttributeReader& attributes) {
  attributes.finish();
  add_over_image(reader, node, image_of(reader, node), Op::GlobalAveragePool, NoAttributes{}, {});
}

void read_global_max_pool(OnnxReader& reader,
                          const onnx::NodeProto& node,
                          AttributeReader& attributes) {
  attributes.finish();
  const TimeImage image = image_of(reader, node);
  const Shape& shape = reader.node_shape(identity_view(image.node, 4));
  const PoolAttributes whole{{shape[2], shape[3]}, {1, 1}, {0, 0, 0, 0}};
  add_over_image(reader, node, image, Op::MaxPool, whole, {});
}

}  // namespace coppice::graph
