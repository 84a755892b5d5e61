#include "runtime/onednn/match.h"
#include "runtime/quantised.h"

namespace coppice::runtime::onednn {

namespace {

using graph::Node;
using graph::Op;

bool is_product(const Node* node) {
  return node != nullptr && (node->op == Op::Conv || node->op == Op::Gemm);
}

void set_geometry(Product& product, const Node& layer) {
  product.is_conv = layer.op == Op::Conv;
  if (product.is_conv) {
    product.conv = layer.as<graph::ConvAttributes>();
  }
}

bool is_activation(const ModelIndex& index, const std::string& name) {
  return index.node(name) != nullptr && !index.is_constant(name);
}

/// The layer that may absorb an Add, and the other operand; nullptr when there is none.
std::pair<const Node*, std::string> residual_sum(const ModelIndex& index, const Node& add) {
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const Node* layer = index.private_node(add.inputs[side]);
    const std::string& residual = add.inputs[1 - side];
    if (is_product(layer) && is_activation(index, residual) &&
        index.node(residual)->shape == layer->shape) {
      return {layer, residual};
    }
  }
  return {nullptr, {}};
}

}  // namespace

std::optional<Stage> match_quantised_product(ModelIndex& index, const Node& last) {
  const std::optional<QuantisedLayer> layer = match_quantised_layer(index, last);
  if (!layer) {
    return std::nullopt;
  }
  Product product;
  set_geometry(product, *layer->layer);
  product.weight = layer->weight;
  product.bias = layer->bias;
  product.scales = layer->multipliers;
  constexpr float kLargestByte = 255;
  const bool saturates = last.dtype == graph::DType::U8 && layer->ceiling >= kLargestByte;
  product.relu = layer->relu && !saturates;
  product.ceiling = layer->ceiling;
  product.residual_scale = layer->residual_multiplier;
  product.has_residual = !layer->residual.empty();
  std::vector<std::string> inputs{layer->input};
  if (product.has_residual) {
    // The sum is made in place of the residual, byte for byte.
    if (last.op != Op::QuantizeLinear) {
      return std::nullopt;
    }
    inputs.push_back(layer->residual);
  }
  return stage_of(last, std::move(inputs), std::move(product));
}

/// Conv | Gemm → [Add(residual)] → [Relu | Clip from 0] in f32 with constant weights.
std::optional<Stage> match_product(ModelIndex& index, const Node& last) {
  Product product;
  std::vector<std::string> inputs;
  const Node* node = &last;
  if (const std::optional<float> high = rectified_below(*node)) {
    product.relu = true;
    product.ceiling = *high;
    node = index.private_node(node->inputs[0]);
  }
  if (node != nullptr && node->op == Op::Add) {
    const auto [layer, residual] = residual_sum(index, *node);
    product.has_residual = layer != nullptr;
    inputs.push_back(residual);
    node = layer;
  }
  if (!is_product(node) || !index.is_constant(node->inputs[1]) ||
      (node->inputs.size() > 2 && !index.is_constant(node->inputs[2])) ||
      !is_activation(index, node->inputs[0])) {
    return std::nullopt;
  }
  set_geometry(product, *node);
  product.weight = index.constant(node->inputs[1]);
  if (node->inputs.size() > 2) {
    const auto bias = index.constant(node->inputs[2]).data<float>();
    product.bias.assign(bias.begin(), bias.end());
  }
  inputs.insert(inputs.begin(), node->inputs[0]);
  return stage_of(last, std::move(inputs), std::move(product));
}

}  // namespace coppice::runtime::onednn
