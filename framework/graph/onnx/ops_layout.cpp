#include "graph/onnx/ops_layout.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "graph/onnx/parameters.h"

namespace coppice::graph {

namespace {

/// The target of a Reshape with its zeros and the free dimension filled in; empty where it does not
/// fit.
Shape reshape_target(Shape target, const Shape& from) {
  int64_t known = 1;
  int64_t* open = nullptr;
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 0) {
      if (i >= from.size()) {
        return {};
      }
      target[i] = from[i];
    }
    if (target[i] == -1 && open == nullptr) {
      open = &target[i];
    } else if (target[i] < 1 || __builtin_mul_overflow(known, target[i], &known)) {
      return {};
    }
  }
  const int64_t values = element_count(from);
  if (values % known != 0 || (open == nullptr && values != known)) {
    return {};
  }
  if (open != nullptr) {
    *open = values / known;
  }
  return target;
}

}  // namespace

/// Where the batch stays in front, any new shape of the sample; elsewhere what `refold` does.
void read_reshape(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.expect("allowzero", int64_t{0});
  attributes.finish();
  const View view = reader.view(node, 0);
  const Shape from = reader.shape(view);
  const Shape wanted = integers_of(reader, node, 1);
  const Shape target = reshape_target(wanted, from);
  const auto refuse = [&] {
    unsupported_node(node,
                     fmt::format("from {} to {}; supported: one that keeps the batch in front, or "
                                 "puts neighbouring dimensions together or cuts them",
                                 to_string(from),
                                 to_string(wanted)));
  };
  if (target.size() > 1 && target[0] == from[0] && view.batch_first()) {
    const Shape sample(target.begin() + 1, target.end());
    const std::string x = reader.use(node, 0);
    if (sample.size() == 1) {
      reader.add(node, Op::Flatten, NoAttributes{}, {x});
    } else {
      reader.add(node, Op::Reshape, ReshapeAttributes{sample}, {x});
    }
    return;
  }
  const Refolded folded = refold(view, reader.node_shape(view), target, reader.batch_value());
  if (folded.dims.empty()) {
    refuse();
  }
  reader.define(node, 0, {reader.reshape(node, view.node, folded.sample), folded.dims});
}

void read_squeeze(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const auto axes = list_parameter(reader, node, attributes, "axes", 1, 13);
  attributes.finish();
  View view = reader.view(node, 0);
  const Shape shape = reader.shape(view);
  std::vector<bool> dropped(shape.size(), false);
  for (size_t i = 0; i < shape.size(); ++i) {
    dropped[i] = !axes && shape[i] == 1 && i != view.batch_dimension();
  }
  for (const int64_t given : axes.value_or(Shape{})) {
    const auto axis = static_cast<size_t>(axis_of(node, given, shape));
    if (shape[axis] != 1 || axis == view.batch_dimension()) {
      unsupported_node(node, fmt::format("axis {} of {}", given, to_string(shape)));
    }
    dropped[axis] = true;
  }
  std::vector<Shape> kept;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!dropped[i]) {
      kept.push_back(view.dims[i]);
    }
  }
  view.dims = std::move(kept);
  reader.define(node, 0, view);
}

void read_unsqueeze(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  Shape axes = list_parameter(reader, node, attributes, "axes", 1, 13).value_or(Shape{});
  attributes.finish();
  View view = reader.view(node, 0);
  const Shape result(checked_rank(node, view.dims.size() + axes.size()), 1);
  for (int64_t& axis : axes) {
    axis = axis_of(node, axis, result);
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) {
    corrupt_node(node, fmt::format("axes {}", to_string(axes)));
  }
  for (const int64_t axis : axes) {
    view.dims.insert(view.dims.begin() + std::min<int64_t>(axis, std::ssize(view.dims)), Shape{});
  }
  reader.define(node, 0, view);
}

void read_transpose(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  View view = reader.view(node, 0);
  const size_t rank = view.dims.size();
  Shape order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  order = attributes.integers("perm", order);
  attributes.finish();
  Shape sorted = order;
  std::sort(sorted.begin(), sorted.end());
  Shape all(rank);
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all) {
    corrupt_node(node, fmt::format("order {} of {} dimensions", to_string(order), rank));
  }
  std::vector<Shape> dims;
  for (const int64_t axis : order) {
    dims.push_back(view.dims[static_cast<size_t>(axis)]);
  }
  view.dims = std::move(dims);
  reader.define(node, 0, view);
}

/// Opset 11 moved pads and value from attributes to inputs, 18 added the axes.
void read_pad(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  constexpr int64_t kSinceInputs = 11;
  PadAttributes result;
  const std::string mode = text_of(attributes, "mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge") {
    unsupported_node(node, fmt::format("mode '{}'; supported: constant, reflect, edge", mode));
  }
  result.mode = mode == "constant"  ? PadMode::Constant
                : mode == "reflect" ? PadMode::Reflect
                                    : PadMode::Edge;
  const Shape pads =
      list_parameter(reader, node, attributes, "pads", 1, kSinceInputs).value_or(Shape{});
  if (reader.opset() < kSinceInputs) {
    result.value = attributes.real("value", 0);
  } else if (OnnxReader::has(node, 2)) {
    result.value = real_of(reader, node, 2, "the value");
  }
  attributes.finish();
  const bool is_view = reader.is_view(node, 0);
  View x = reader.view(node, 0);
  const Shape shape = reader.shape(x);
  Shape axes(shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = OnnxReader::has(node, 3) ? integers_of(reader, node, 3) : axes;
  for (int64_t& axis : axes) {
    axis = axis_of(node, axis, shape);
  }
  if (std::set<int64_t>(axes.begin(), axes.end()).size() != axes.size()) {
    corrupt_node(node, fmt::format("axes {}", to_string(axes)));
  }
  if (pads.size() != 2 * axes.size()) {
    corrupt_node(node, fmt::format("pads {} for {} axes", to_string(pads), axes.size()));
  }
  const size_t rank = reader.node_shape(x).size();
  result.pads.assign(2 * rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t before = pads[i];
    const int64_t behind = pads[axes.size() + i];
    const Shape& own = x.dims[static_cast<size_t>(axes[i])];
    if (before == 0 && behind == 0) {
      continue;
    }
    if (before < 0 || behind < 0 || own.size() != 1 || own[0] == 0) {
      unsupported_node(
          node,
          fmt::format("pads {}; supported: not negative, none at the batch", to_string(pads)));
    }
    result.pads[static_cast<size_t>(own[0])] = before;
    result.pads[rank + static_cast<size_t>(own[0])] = behind;
  }
  x.node = reader.make(node, Op::Pad, std::move(result), {x.node});
  reader.define(node, 0, x, is_view);
}

}  // namespace coppice::graph
