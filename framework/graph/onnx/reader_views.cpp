// Views of the reader: values whose batch is not where a node has it.

#include <algorithm>
#include <numeric>

#include "graph/onnx/parameters.h"
#include "graph/onnx/reader.h"

namespace coppice::graph {

namespace {

/// The axes of more than one place in the order of the dimensions, then the others; the batch as
/// first.
Shape axis_order(const View& view, const Shape& shape) {
  Shape order{0};
  for (const Shape& axes : view.dims) {
    for (const int64_t axis : axes) {
      if (axis != 0 && shape[static_cast<size_t>(axis)] != 1) {
        order.push_back(axis);
      }
    }
  }
  const bool ascends = std::is_sorted(order.begin(), order.end());
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    if (shape[axis] == 1) {
      order.push_back(static_cast<int64_t>(axis));
    }
  }
  if (ascends) {  // single places in between make no difference
    std::sort(order.begin(), order.end());
  }
  return order;
}

/// Places of one dimension before and behind the batch; `before` alone where it has none.
struct AroundBatch {
  int64_t before = 1;
  int64_t behind = 1;
  bool holds_batch = false;
};

AroundBatch around_batch(const Shape& axes, const Shape& shape) {
  AroundBatch result;
  for (const int64_t axis : axes) {
    if (axis == 0) {
      result.holds_batch = true;
    } else {
      (result.holds_batch ? result.behind : result.before) *= shape[static_cast<size_t>(axis)];
    }
  }
  return result;
}

}  // namespace

bool OnnxReader::is_view(const onnx::NodeProto& node, int i) const {
  return has(node, i) && views_.contains(resolve(node.input(i)));
}

View OnnxReader::view(const onnx::NodeProto& node, int i) {
  const std::string name = has(node, i) ? resolve(node.input(i)) : std::string();
  if (const auto it = views_.find(name); it != views_.end()) {
    return it->second;
  }
  const Node* source = scope_.find(name);
  if (source == nullptr) {
    if (find_constant(name) != nullptr) {
      unsupported_node(node, fmt::format("input {} ('{}') must not be a constant", i, name));
    }
    corrupt_node(node, fmt::format("input '{}' is not made before it", name));
  }
  if (source->shape.empty() || source->shape[0] != kBatch) {
    unsupported_node(node, fmt::format("input {} ('{}') must not be a constant", i, name));
  }
  return identity_view(name, source->shape.size());
}

Shape OnnxReader::shape(const View& view) const {
  return shape_of(view, node_shape(view), batch_value());
}

std::string OnnxReader::transpose(const onnx::NodeProto& node,
                                  const std::string& name,
                                  Shape order) {
  if (std::is_sorted(order.begin(), order.end())) {
    return name;
  }
  return make(node, Op::Transpose, TransposeAttributes{std::move(order)}, {name});
}

std::string OnnxReader::reshape(const onnx::NodeProto& node,
                                const std::string& name,
                                const Shape& sample) {
  const Shape& shape = scope_.find(name)->shape;
  if (std::equal(shape.begin() + 1, shape.end(), sample.begin(), sample.end())) {
    return name;
  }
  if (sample.empty()) {
    unsupported_node(node, "leaves nothing but the batch");
  }
  return sample.size() == 1 ? make(node, Op::Flatten, NoAttributes{}, {name})
                            : make(node, Op::Reshape, ReshapeAttributes{sample}, {name});
}

View OnnxReader::canonical(const onnx::NodeProto& node, int i) {
  const View from = view(node, i);
  const Shape shape = node_shape(from);
  Shape sample;
  View result;
  int64_t next = 1;
  for (const Shape& axes : from.dims) {
    const AroundBatch sizes = around_batch(axes, shape);
    Shape& dim = result.dims.emplace_back();
    const auto add = [&](int64_t size) {
      sample.push_back(size);
      dim.push_back(next++);
    };
    if (!sizes.holds_batch || sizes.before > 1) {
      add(sizes.before);
    }
    if (sizes.holds_batch) {
      dim.push_back(0);
    }
    if (sizes.behind > 1) {
      add(sizes.behind);
    }
  }
  result.node = reshape(node, transpose(node, from.node, axis_order(from, shape)), sample);
  if (is_view(node, i)) {
    views_.at(resolve(node.input(i))) = result;  // whoever reads it next shares the work
  }
  return result;
}

std::string OnnxReader::materialise(const onnx::NodeProto& node, const View& view) {
  const Shape shape = node_shape(view);
  Shape target = shape_of(view, shape, batch_value());
  target.erase(target.begin());
  return reshape(node, transpose(node, view.node, axis_order(view, shape)), target);
}

void OnnxReader::define(const onnx::NodeProto& node, int i, const View& view, bool keep) {
  const std::string& name = node.output(i);
  checked_rank(node, view.dims.size());
  if (!keep && view.batch_first()) {
    const std::string target = materialise(node, view);
    add_alias(name, target);
    if (inner_.erase(target) > 0) {
      final_names_.emplace(target, name);
    }
    return;
  }
  take_name(name);
  views_.emplace(name, view);
  view_makers_.emplace(name, &node);
}

/// Turns a view into a node's output, as this node needs one. Any other name stays.
std::string OnnxReader::settle(const onnx::NodeProto& node, const std::string& name) {
  const auto it = views_.find(name);
  if (it == views_.end()) {
    return name;
  }
  const onnx::NodeProto& maker = *view_makers_.at(name);
  const View view = it->second;
  if (!view.batch_first()) {
    throw core::Error(
        core::ErrorKind::Unsupported,
        fmt::format("{}: does not leave the batch as the first dimension, which {} needs",
                    describe(maker),
                    &maker == &node ? "an output" : describe(node)));
  }
  const std::string target = materialise(maker, view);
  const std::string alias = name;
  views_.erase(it);
  view_makers_.erase(alias);
  aliases_.emplace(alias, target);
  if (inner_.erase(target) > 0) {
    final_names_.emplace(target, alias);
  }
  return target;
}

std::string OnnxReader::make(const onnx::NodeProto& proto,
                             Op op,
                             Attributes attributes,
                             std::vector<std::string> inputs) {
  std::string name = free_name(fmt::format("{}/{}", proto.output(0), to_string(op)));
  Node node;
  node.name = name;
  node.op = op;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  try {
    append(std::move(node));
  } catch (const core::Error& error) {  // the node that the file has is the one to name
    throw core::Error(error.kind(), fmt::format("{}: {}", describe(proto), error.what()));
  }
  inner_.insert(name);
  return name;
}

}  // namespace coppice::graph
