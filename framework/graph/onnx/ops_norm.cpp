#include "graph/onnx/ops_norm.h"

#include <algorithm>
#include <numeric>

#include "graph/onnx/parameters.h"

namespace coppice::graph {

namespace {

/// The node's axes that dimensions of a canonical view are. Throws for the batch's.
Shape node_axes(const onnx::NodeProto& node, const View& view, const Shape& dimensions) {
  Shape axes;
  for (const int64_t dimension : dimensions) {
    const Shape& own = view.dims[static_cast<size_t>(dimension)];
    if (own.size() != 1 || own[0] == 0) {
      unsupported_node(node, fmt::format("axis {}, which is the batch or holds it", dimension));
    }
    axes.push_back(own[0]);
  }
  return axes;
}

Shape sorted_axes(const onnx::NodeProto& node, Shape axes, const Shape& shape) {
  for (int64_t& axis : axes) {
    axis = axis_of(node, axis, shape);
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) {
    corrupt_node(node, fmt::format("axes {}", to_string(axes)));
  }
  return axes;
}

}  // namespace

/// Before opset 13 all dimensions from the axis on were one; the two agree on the last axis.
void read_softmax(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const View x = reader.canonical(node, 0);
  const Shape shape = reader.shape(x);
  const int64_t otherwise = reader.opset() < 13 ? 1 : -1;
  const int64_t axis = axis_of(node, attributes.integer("axis", otherwise), shape);
  attributes.finish();
  if (reader.opset() < 13 && axis + 1 != std::ssize(shape)) {
    unsupported_node(node, "over several axes; export with opset 13");
  }
  const AxisAttributes along{node_axes(node, x, {axis})[0]};
  reader.define(node, 0, {reader.make(node, Op::Softmax, along, {x.node}), x.dims});
}

/// Scale and bias that are left out, as in a pattern without them, are 1 and 0.
void read_layer_norm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const View x = reader.canonical(node, 0);
  const Shape shape = reader.shape(x);
  const int64_t axis = axis_of(node, attributes.integer("axis", -1), shape);
  Shape axes(shape.size() - static_cast<size_t>(axis));
  std::iota(axes.begin(), axes.end(), axis);
  const Shape named = sorted_axes(node, attributes.integers("axes", axes), shape);
  const float epsilon = attributes.real("epsilon", 1e-5F);
  attributes.expect("stash_type", int64_t{1});
  attributes.finish();
  if (named.empty() || named.back() + 1 != std::ssize(shape) ||
      named.back() - named.front() + 1 != std::ssize(named)) {
    unsupported_node(node, fmt::format("over axes {}; supported: the last ones", to_string(named)));
  }
  const Shape own = node_axes(node, x, named);
  const Shape normalised(shape.begin() + named.front(), shape.end());
  const auto parameter = [&](int i, std::string_view what, float otherwise) {
    if (!OnnxReader::has(node, i)) {
      Tensor filled = reader.budget().tensor(node, DType::F32, normalised);
      std::ranges::fill(filled.data<float>(), otherwise);
      return reader.add_weight(fmt::format("{}.{}", node.output(0), what), std::move(filled));
    }
    const Tensor& given = reader.constant(node, i);
    return given.shape() == normalised || given.size() != element_count(normalised)
               ? reader.use(node, i)
               : reader.add_weight(node.input(i) + ".row", given.reshaped(normalised));
  };
  const std::string scale = parameter(1, "scale", 1);
  const std::string bias = parameter(2, "bias", 0);
  const LayerNormAttributes result{own.front(), epsilon};
  reader.define(node, 0, {reader.make(node, Op::LayerNorm, result, {x.node, scale, bias}), x.dims});
}

/// Over height and width of an image that is GlobalAveragePool.
void read_reduce_mean(OnnxReader& reader,
                      const onnx::NodeProto& node,
                      AttributeReader& attributes) {
  View x = reader.canonical(node, 0);
  const Shape shape = reader.shape(x);
  const auto given = list_parameter(reader, node, attributes, "axes", 1, 18);
  const bool keeps = attributes.integer("keepdims", 1) != 0;
  attributes.expect("noop_with_empty_axes", int64_t{0});
  attributes.finish();
  if (!given || given->empty()) {
    unsupported_node(node, "over the batch, too");
  }
  const Shape dimensions = sorted_axes(node, *given, shape);
  Shape axes = node_axes(node, x, dimensions);
  std::sort(axes.begin(), axes.end());
  const bool image = reader.node_shape(x).size() == 4 && axes == Shape{2, 3};
  x.node = image ? reader.make(node, Op::GlobalAveragePool, NoAttributes{}, {x.node})
                 : reader.make(node, Op::ReduceMean, ReduceAttributes{axes}, {x.node});
  for (auto it = dimensions.rbegin(); !keeps && it != dimensions.rend(); ++it) {
    x.dims.erase(x.dims.begin() + *it);
  }
  reader.define(node, 0, x);
}

}  // namespace coppice::graph
