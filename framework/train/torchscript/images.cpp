#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "train/lowering/positions.h"
#include "train/torchscript/parts.h"

namespace coppice::train {

using graph::Node;
using graph::Shape;

namespace {

bool any_pads(const Shape& pads) {
  return std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; });
}

/// Values along a dimension from these places of it.
std::string gathered(ScriptWriter& writer,
                     const std::string& x,
                     const Node& node,
                     size_t axis,
                     const std::vector<int64_t>& positions) {
  const std::string index = writer.added(
      fmt::format("{}.positions{}", node.name, axis),
      graph::Tensor::from<int64_t>({std::ssize(positions)}, std::span<const int64_t>(positions)),
      false);
  return fmt::format("torch.index_select({}, {}, {})", x, axis, index);
}

/// Mirrored or repeated values around the given ones.
std::string reflected(ScriptWriter& writer, std::string x, const Node& node) {
  const auto& pad = node.as<graph::PadAttributes>();
  const Shape& in = writer.model().graph.at(node.inputs[0]).shape;
  const size_t rank = in.size();
  for (size_t d = 1; d < rank; ++d) {
    if (pad.pads[d] != 0 || pad.pads[rank + d] != 0) {
      const auto positions = padded_positions(pad.mode, in[d], pad.pads[d], pad.pads[rank + d]);
      x = gathered(writer, x, node, d, positions);
    }
  }
  return x;
}

}  // namespace

std::string script_padded(const std::string& x, const Shape& pads, double value) {
  return fmt::format("torch.constant_pad_nd({}, {}, {})",
                     x,
                     script_list({pads[1], pads[3], pads[0], pads[2]}),
                     script_number(value));
}

std::string script_pooling(const std::string& x, const Node& node) {
  const auto& a = node.as<graph::PoolAttributes>();
  const std::string window = fmt::format("{}, {}", script_list(a.kernel), script_list(a.stride));
  if (node.op == graph::Op::MaxPool) {
    return fmt::format("torch.max_pool2d({}, {})",
                       any_pads(a.pads) ? script_padded(x, a.pads, -INFINITY) : x,
                       window);
  }
  if (!any_pads(a.pads)) {
    return fmt::format("torch.avg_pool2d({}, {})", x, window);
  }
  return fmt::format("torch.div(torch.avg_pool2d({}, {}), torch.avg_pool2d({}, {}))",
                     script_padded(x, a.pads, 0),
                     window,
                     script_padded(fmt::format("torch.ones_like({})", x), a.pads, 0),
                     window);
}

std::string script_resized(ScriptWriter& writer, const std::string& x, const Node& node) {
  const graph::ResizeMode mode = node.as<graph::ResizeAttributes>().mode;
  const Shape& in = writer.model().graph.at(node.inputs[0]).shape;
  const Shape& out = node.shape;
  const std::string size = script_list({out[2], out[3]});
  if (mode != graph::ResizeMode::Nearest) {
    return fmt::format("torch.upsample_bilinear2d({}, {}, {}, None, None)",
                       x,
                       size,
                       mode == graph::ResizeMode::LinearCorners ? "True" : "False");
  }
  if (aten_resizes_exactly(in[2], out[2]) && aten_resizes_exactly(in[3], out[3])) {
    return fmt::format("torch.upsample_nearest2d({}, {}, None, None)", x, size);
  }
  const std::string rows = gathered(writer, x, node, 2, nearest_positions(in[2], out[2]));
  return gathered(writer, rows, node, 3, nearest_positions(in[3], out[3]));
}

std::string script_padding(ScriptWriter& writer, const std::string& x, const Node& node) {
  const auto& pad = node.as<graph::PadAttributes>();
  if (pad.mode != graph::PadMode::Constant) {
    return reflected(writer, x, node);
  }
  const size_t rank = pad.pads.size() / 2;
  Shape from_the_last;
  for (size_t d = rank; d-- > 1;) {
    from_the_last.push_back(pad.pads[d]);
    from_the_last.push_back(pad.pads[rank + d]);
  }
  return fmt::format(
      "torch.constant_pad_nd({}, {}, {})", x, script_list(from_the_last), script_number(pad.value));
}

}  // namespace coppice::train
