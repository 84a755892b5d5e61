#include "c_source/match.h"

#include "runtime/quantised.h"

namespace coppice::c_source {

namespace {

using graph::Node;
using graph::Op;

bool is_float_product(runtime::ModelIndex& index, const Node* node) {
  return node != nullptr && (node->op == Op::Conv || node->op == Op::Gemm) &&
         !runtime::match_quantised_layer(index, *node);
}

}  // namespace

std::optional<FloatLayer> match_float_layer(runtime::ModelIndex& index, const Node& last) {
  FloatLayer result;
  const Node* node = &last;
  if (node->op == Op::Relu) {
    result.low = 0;
    node = index.private_node(node->inputs[0]);
  } else if (node->op == Op::Clip) {
    const auto& clip = node->as<graph::ClipAttributes>();
    result.low = clip.low;
    result.high = clip.high;
    node = index.private_node(node->inputs[0]);
  }
  if (node != nullptr && node->op == Op::Add) {
    for (const size_t side : {size_t{0}, size_t{1}}) {
      const Node* layer = index.private_node(node->inputs[side]);
      const Node* other = index.node(node->inputs[1 - side]);
      if (is_float_product(index, layer) && other != nullptr && other->shape == layer->shape) {
        result.layer = layer;
        result.residual = other->name;
        return result;
      }
    }
    return std::nullopt;
  }
  if (!is_float_product(index, node)) {
    return std::nullopt;
  }
  result.layer = node;
  return result;
}

}  // namespace coppice::c_source
