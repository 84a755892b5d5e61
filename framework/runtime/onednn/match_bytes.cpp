#include "runtime/onednn/match.h"
#include "runtime/quantised.h"

namespace coppice::runtime::onednn {

namespace {

using graph::Node;
using graph::Op;

/// The 8-bit value that a per-tensor DQ of this name dequantises.
std::optional<std::pair<std::string, Quantisation>> byte_source(const ModelIndex& index,
                                                                const std::string& name) {
  const Node* node = index.node(name);
  if (node == nullptr || node->op != Op::DequantizeLinear || index.is_constant(name)) {
    return std::nullopt;
  }
  const auto quantisation = per_tensor_quantisation(index, *node);
  if (!quantisation) {
    return std::nullopt;
  }
  return std::pair{node->inputs[0], *quantisation};
}

}  // namespace

/// Add(DQ(a), DQ(b)) → [Relu] → Q.
std::optional<Stage> match_byte_add(ModelIndex& index, const Node& last) {
  const auto quantisation =
      last.op == Op::QuantizeLinear ? per_tensor_quantisation(index, last) : std::nullopt;
  const Node* node = quantisation ? index.private_node(last.inputs[0]) : nullptr;
  ByteAdd add;
  if (node != nullptr && node->op == Op::Relu) {
    add.relu = true;
    node = index.private_node(node->inputs[0]);
  }
  if (node == nullptr || node->op != Op::Add) {
    return std::nullopt;
  }
  const auto a = byte_source(index, node->inputs[0]);
  const auto b = byte_source(index, node->inputs[1]);
  if (!a || !b || index.node(node->inputs[0])->shape != index.node(node->inputs[1])->shape) {
    return std::nullopt;
  }
  add.scale_a = a->second.scale;
  add.scale_b = b->second.scale;
  add.scale = quantisation->scale;
  return stage_of(last, {a->first, b->first}, add);
}

/// GlobalAveragePool(DQ(x)) → [Q].
std::optional<Stage> match_byte_average(ModelIndex& index, const Node& last) {
  const Node* node = &last;
  float scale = 1;
  if (last.op == Op::QuantizeLinear) {
    const auto quantisation = per_tensor_quantisation(index, last);
    node = quantisation ? index.private_node(last.inputs[0]) : nullptr;
    scale = quantisation ? quantisation->scale : 1.0F;
  }
  if (node == nullptr || node->op != Op::GlobalAveragePool) {
    return std::nullopt;
  }
  const auto x = byte_source(index, node->inputs[0]);
  if (!x) {
    return std::nullopt;
  }
  const graph::Shape& shape = index.node(node->inputs[0])->shape;
  const double pixels = static_cast<double>(shape[2]) * static_cast<double>(shape[3]);
  ByteAverage average;
  average.multiplier =
      static_cast<float>(double{x->second.scale} / (pixels * static_cast<double>(scale)));
  return stage_of(last, {x->first}, average);
}

std::optional<Stage> match_quantise(ModelIndex& index, const Node& last) {
  const auto quantisation =
      last.op == Op::QuantizeLinear ? per_tensor_quantisation(index, last) : std::nullopt;
  if (!quantisation) {
    return std::nullopt;
  }
  return stage_of(last, {last.inputs[0]}, Quantise{quantisation->scale});
}

}  // namespace coppice::runtime::onednn
