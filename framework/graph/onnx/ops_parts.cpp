#include <algorithm>
#include <numeric>

#include "graph/onnx/ops_layout.h"
#include "graph/onnx/parameters.h"

namespace coppice::graph {

namespace {

/// The node's axis that a dimension of a canonical view is. Throws for the batch's.
int64_t node_axis(const onnx::NodeProto& node, const View& view, size_t dimension) {
  const Shape& axes = view.dims[dimension];
  if (axes.size() != 1 || axes[0] == 0) {
    unsupported_node(node, fmt::format("axis {}, which is the batch or holds it", dimension));
  }
  return axes[0];
}

std::string slice_of(OnnxReader& reader,
                     const onnx::NodeProto& node,
                     const std::string& x,
                     SliceAttributes slice) {
  return reader.make(node, Op::Slice, slice, {x});
}

}  // namespace

/// A Slice of several axes becomes one of each; one that keeps all of an axis among others none.
void read_slice(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  View view = reader.canonical(node, 0);
  const Shape shape = reader.shape(view);
  const SliceArguments arguments = slice_arguments(reader, node, attributes, shape);
  const size_t count = arguments.axes.size();
  for (size_t i = 0; i < count; ++i) {
    const auto dimension = static_cast<size_t>(arguments.axes[i]);
    const int64_t step = arguments.steps[i];
    if (step < 1) {
      unsupported_node(node, fmt::format("supported: steps from 1, not {}", step));
    }
    const Range range =
        range_within(shape[dimension], arguments.starts[i], arguments.ends[i], step);
    const bool whole = range.start == 0 && range.end == shape[dimension] && step == 1;
    if (whole && (count > 1 || dimension == view.batch_dimension())) {
      continue;
    }
    view.node = slice_of(
        reader,
        node,
        view.node,
        {node_axis(node, view, dimension), range.start, range.end, std::min(step, range.end + 1)});
  }
  reader.define(node, 0, view);
}

void read_split(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const View view = reader.canonical(node, 0);
  const Shape shape = reader.shape(view);
  const auto dimension = static_cast<size_t>(axis_of(node, attributes.integer("axis", 0), shape));
  const int64_t outputs = node.output_size();
  attributes.expect("num_outputs", outputs);
  const int64_t each = (shape[dimension] + outputs - 1) / outputs;
  Shape even(static_cast<size_t>(outputs), each);
  even.back() = shape[dimension] - each * (outputs - 1);
  const Shape parts = list_parameter(reader, node, attributes, "split", 1, 13).value_or(even);
  attributes.finish();
  const int64_t axis = node_axis(node, view, dimension);
  if (std::ssize(parts) != outputs) {
    corrupt_node(node, fmt::format("parts {} for {} outputs", to_string(parts), outputs));
  }
  int64_t start = 0;
  for (int i = 0; i < node.output_size(); ++i) {
    const int64_t size = parts[static_cast<size_t>(i)];
    if (size < 0 || size > shape[dimension] - start) {
      corrupt_node(node, fmt::format("parts {} of {}", to_string(parts), shape[dimension]));
    }
    if (!node.output(i).empty()) {
      reader.define(
          node, i, {slice_of(reader, node, view.node, {axis, start, start + size, 1}), view.dims});
    }
    start += size;
  }
}

/// Of one place, whose dimension goes, or of places in a row.
void read_gather(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  View view = reader.canonical(node, 0);
  const Shape shape = reader.shape(view);
  const auto dimension = static_cast<size_t>(axis_of(node, attributes.integer("axis", 0), shape));
  attributes.finish();
  Shape places = integers_of(reader, node, 1);
  const size_t index_rank = reader.constant(node, 1).shape().size();
  const int64_t axis = node_axis(node, view, dimension);
  for (int64_t& place : places) {
    if (place < -shape[dimension] || place >= shape[dimension]) {
      corrupt_node(node, fmt::format("place {} of {}", place, shape[dimension]));
    }
    place += place < 0 ? shape[dimension] : 0;
  }
  const bool in_a_row =
      !places.empty() && std::adjacent_find(places.begin(), places.end(), [](int64_t a, int64_t b) {
                           return b != a + 1;
                         }) == places.end();
  if (!in_a_row || index_rank > 1) {
    unsupported_node(node, "supported: one place, or places in a row");
  }
  view.node = slice_of(reader, node, view.node, {axis, places.front(), places.back() + 1, 1});
  if (index_rank == 0) {
    view.dims.erase(view.dims.begin() + static_cast<ptrdiff_t>(dimension));
  }
  reader.define(node, 0, view);
}

void read_concat(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const int64_t given = attributes.integer("axis", 0);
  attributes.finish();
  if (node.input_size() == 0) {
    corrupt_node(node, "no inputs");
  }
  const View first = reader.canonical(node, 0);
  const auto dimension = static_cast<size_t>(axis_of(node, given, reader.shape(first)));
  std::vector<std::string> inputs;
  for (int i = 0; i < node.input_size(); ++i) {
    const View part = reader.canonical(node, i);
    if (part.dims != first.dims) {
      unsupported_node(node, "of values that hold the batch in different ways");
    }
    inputs.push_back(part.node);
  }
  const int64_t axis = node_axis(node, first, dimension);
  reader.define(node, 0, {reader.make(node, Op::Concat, AxisAttributes{axis}, inputs), first.dims});
}

}  // namespace coppice::graph
