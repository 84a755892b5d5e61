#include <fmt/format.h>

#include "c_source/loops.h"
#include "c_source/names.h"
#include "c_source/write.h"
#include "core/error.h"

namespace coppice::c_source {

namespace {

using graph::Node;
using graph::Op;
using graph::Shape;

/// Where along an axis of the input a place of the output comes from.
struct AxisSource {
  size_t axis = 0;         ///< of the input's sample
  std::string expression;  ///< of the output's coordinate i<d>
  std::string inside;      ///< a condition, or empty
};

AxisSource padded(const graph::PadAttributes& pad, size_t d, const std::string& i, int64_t size) {
  const int64_t before = pad.pads[d + 1];
  const int64_t behind = pad.pads[d + 1 + pad.pads.size() / 2];
  if (before == 0 && behind == 0) {
    return {d, i, ""};
  }
  const std::string from = before == 0  ? i
                           : before < 0 ? fmt::format("({} + {})", i, -before)
                                        : fmt::format("({} - {})", i, before);
  switch (pad.mode) {
    case graph::PadMode::Constant:
      return {d, from, fmt::format("{0} >= 0 && {0} < {1}", from, size)};
    case graph::PadMode::Edge:
      return {d, fmt::format("({0} < 0 ? 0 : {0} >= {1} ? {2} : {0})", from, size, size - 1), ""};
    case graph::PadMode::Reflect:
      return {d,
              fmt::format(
                  "({0} < 0 ? -{0} : {0} >= {1} ? {2} - {0} : {0})", from, size, 2 * (size - 1)),
              ""};
  }
  return {};
}

/// i * in / out, within 32 bits.
std::string resized(const std::string& i, int64_t in, int64_t out) {
  if (in == out) {
    return i;
  }
  return out % in == 0 ? fmt::format("({} / {})", i, out / in)
                       : fmt::format("(int32_t)((int64_t){} * {} / {})", i, in, out);
}

AxisSource axis_source(const Node& node, const Shape& in, const Shape& out, size_t d) {
  const std::string i = fmt::format("i{}", d);
  switch (node.op) {
    case Op::Transpose:
      return {static_cast<size_t>(node.as<graph::TransposeAttributes>().order[d + 1] - 1), i, ""};
    case Op::Slice: {
      const auto& slice = node.as<graph::SliceAttributes>();
      if (static_cast<size_t>(slice.axis) != d + 1) {
        return {d, i, ""};
      }
      return {d, fmt::format("({} + {} * {})", slice.start, i, slice.step), ""};
    }
    case Op::Resize:
      return {d, resized(i, in[d], out[d]), ""};
    case Op::Pad:
      return padded(node.as<graph::PadAttributes>(), d, i, in[d]);
    default:
      COPPICE_CHECK(false, "no move");
      return {};
  }
}

void write_gather(Source& source, const Node& node) {
  const Node& input = source.plan().node(node.inputs[0]);
  const Shape in = sample_shape(input);
  const Shape out = sample_shape(node);
  const Strides strides = spread_strides(in, in);
  std::string loops;
  std::string indent = "    ";
  std::string inside;
  std::vector<std::string> terms;
  Strides factors;
  for (size_t d = 0; d < out.size(); ++d) {
    loops += fmt::format("{0}for (int32_t i{1} = 0; i{1} < {2}; ++i{1})\n", indent, d, out[d]);
    indent += "  ";
    const AxisSource from = axis_source(node, in, out, d);
    terms.push_back(from.expression);
    factors.push_back(strides[from.axis]);
    if (!from.inside.empty()) {
      inside += (inside.empty() ? "" : " && ") + from.inside;
    }
  }
  std::string value = fmt::format("x[{}]", index_expression(terms, factors));
  if (!inside.empty()) {
    value = fmt::format(
        "{} ? {} : {}", inside, value, float_literal(node.as<graph::PadAttributes>().value));
  }
  source.statement(
      fmt::format("  {{\n    const {0} *x = {1};\n    {0} *y = {2};\n{3}{4}*y++ = {5};\n  }}",
                  c_type(node.dtype),
                  source.value(input.name),
                  source.value(node.name),
                  loops,
                  indent,
                  value));
}

void write_copy(Source& source,
                const std::string& to,
                const std::string& from,
                int64_t outer,
                int64_t to_step,
                int64_t from_step,
                graph::DType dtype,
                int64_t offset) {
  const int64_t bytes = from_step * graph::size_bytes(dtype);
  if (outer == 1) {
    source.statement(offset == 0
                         ? fmt::format("  memcpy({}, {}, {});", to, from, bytes)
                         : fmt::format("  memcpy({} + {}, {}, {});", to, offset, from, bytes));
    return;
  }
  source.statement(
      fmt::format("  for (int32_t i = 0; i < {}; ++i)\n"
                  "    memcpy({} + i * {} + {}, {} + i * {}, {});",
                  outer,
                  to,
                  to_step,
                  offset,
                  from,
                  from_step,
                  bytes));
}

void write_concat(Source& source, const Node& node) {
  const auto axis = static_cast<size_t>(node.as<graph::AxisAttributes>().axis);
  int64_t outer = 1;
  for (size_t d = 1; d < axis; ++d) {
    outer *= node.shape[d];
  }
  const int64_t row = sample_size(node) / outer;
  int64_t offset = 0;
  for (const std::string& name : node.inputs) {
    const int64_t part = sample_size(source.plan().node(name)) / outer;
    write_copy(
        source, source.value(node.name), source.value(name), outer, row, part, node.dtype, offset);
    offset += part;
  }
}

}  // namespace

void write_move(Source& source, const Node& node) {
  write_heading(source, std::string(graph::to_string(node.op)), node);
  switch (node.op) {
    case Op::Flatten:
    case Op::Reshape:
      write_copy(source,
                 source.value(node.name),
                 source.value(node.inputs[0]),
                 1,
                 0,
                 sample_size(node),
                 node.dtype,
                 0);
      return;
    case Op::Concat:
      return write_concat(source, node);
    case Op::Resize:
      if (node.as<graph::ResizeAttributes>().mode != graph::ResizeMode::Nearest) {
        refuse_node(node, "only resizing to the nearest value has a C form");
      }
      return write_gather(source, node);
    default:
      return write_gather(source, node);
  }
}

}  // namespace coppice::c_source
