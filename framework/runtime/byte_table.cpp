#include "runtime/byte_table.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "graph/elementwise.h"
#include "runtime/reference/kernel.h"

namespace coppice::runtime {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;
using graph::Shape;
using graph::Tensor;

constexpr int64_t kValues = 256;
constexpr int64_t kMostRows =
    64;  // 64 KiB of f32: larger tables would not stay in the first-level cache

bool holds_bytes(DType dtype) {
  return dtype == DType::U8 || dtype == DType::I8;
}

/// Whether a constant operand has one value, or one per channel of an activation of this shape.
bool spreads_over_channels(const Shape& constant, const Shape& activation) {
  if (constant.size() > activation.size()) {
    return false;
  }
  const size_t offset = activation.size() - constant.size();
  for (size_t i = 0; i < constant.size(); ++i) {
    if (constant[i] != 1 && (offset + i != 1 || constant[i] != activation[1])) {
      return false;
    }
  }
  return true;
}

/// Whether scale and zero point are per tensor or per channel.
bool scales_channels(ModelIndex& index, const Node& node) {
  return index.constant(node.inputs[1]).size() == 1 || node.as<graph::AxisAttributes>().axis == 1;
}

/// Which operand carries the chain on, or nullopt when the op is not element-wise per channel.
std::optional<size_t> chain_operand(ModelIndex& index, const Node& node) {
  if (node.op == Op::Cast || graph::is_unary_elementwise(node.op)) {
    return size_t{0};
  }
  switch (node.op) {
    case Op::QuantizeLinear:
    case Op::DequantizeLinear:
      return scales_channels(index, node) ? std::optional<size_t>(0) : std::nullopt;
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
      for (const size_t side : {size_t{0}, size_t{1}}) {
        const std::string& other = node.inputs[1 - side];
        if (!index.is_constant(node.inputs[side]) && index.is_constant(other) &&
            spreads_over_channels(index.constant(other).shape(), node.shape)) {
          return side;
        }
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

bool is_per_channel(ModelIndex& index, const Node& node) {
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& name) {
    return index.is_constant(name) && index.constant(name).size() > 1;
  });
}

/// Runs the chain by the reference kernels on a batch of the 256 bytes: sample v holds v in every
/// channel.
Tensor tabulate(ModelIndex& index,
                const std::vector<const Node*>& chain,
                DType source,
                int64_t rows) {
  const Node& last = *chain.back();
  Shape shape(last.shape.size(), 1);
  shape[0] = kValues;
  shape[1] = rows;
  Tensor current(source, shape);
  for (int64_t v = 0; v < kValues; ++v) {
    std::memset(current.bytes() + v * rows, static_cast<int>(v), static_cast<size_t>(rows));
  }
  for (const Node* node : chain) {
    const Tensor result(node->dtype, shape);
    std::vector<reference::View> views;
    for (const std::string& name : node->inputs) {
      views.push_back(reference::view_of(index.is_constant(name) ? index.constant(name) : current));
    }
    std::vector<const reference::View*> operands;
    operands.reserve(views.size());
    for (const reference::View& view : views) {
      operands.push_back(&view);
    }
    reference::run_node(*node, operands, reference::view_of(result));
    current = result;
  }
  Tensor table(last.dtype, {rows, kValues});
  const auto size = static_cast<size_t>(graph::size_bytes(last.dtype));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t v = 0; v < kValues; ++v) {
      std::memcpy(table.bytes() + static_cast<size_t>(row * kValues + v) * size,
                  current.bytes() + static_cast<size_t>(v * rows + row) * size,
                  size);
    }
  }
  return table;
}

bool is_identity(const Tensor& table, DType source) {
  if (table.dtype() != source) {
    return false;
  }
  for (int64_t i = 0; i < table.size(); ++i) {
    if (static_cast<int64_t>(table.bytes()[i]) != i % kValues) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<ByteTable> match_byte_table(ModelIndex& index, const Node& last) {
  if (last.shape.size() < 2 || (!holds_bytes(last.dtype) && last.dtype != DType::F32)) {
    return std::nullopt;
  }
  std::vector<const Node*> chain;
  const Node* node = &last;
  int64_t rows = 1;
  do {
    const std::optional<size_t> operand = chain_operand(index, *node);
    if (!operand) {
      return std::nullopt;
    }
    if (is_per_channel(index, *node)) {
      rows = node->shape[1];
    }
    chain.push_back(node);
    node = index.node(node->inputs[*operand]);
  } while (node != nullptr && !holds_bytes(node->dtype));
  if (node == nullptr || rows > kMostRows || node->shape != last.shape) {
    return std::nullopt;
  }
  std::reverse(chain.begin(), chain.end());
  Tensor table = tabulate(index, chain, node->dtype, rows);
  const bool identity = is_identity(table, node->dtype);
  return ByteTable{node->name, std::move(table), identity};
}

}  // namespace coppice::runtime
