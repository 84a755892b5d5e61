#include "runtime/quantised.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace coppice::runtime {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;
using graph::Tensor;

bool is_byte(DType dtype) {
  return dtype == DType::U8 || dtype == DType::I8;
}

int32_t zero_point_value(const Tensor& zero_point) {
  return zero_point.dtype() == DType::U8 ? int32_t{zero_point.data<uint8_t>()[0]}
                                         : int32_t{zero_point.data<int8_t>()[0]};
}

/// DQ over an 8-bit activation.
const Node* dequantised(const ModelIndex& index, const std::string& name) {
  const Node* node = index.node(name);
  return node != nullptr && node->op == Op::DequantizeLinear && !index.is_constant(name) ? node
                                                                                         : nullptr;
}

/// One scale per output channel of a weight, spread where there is one for all.
std::vector<float> channel_scales(const Tensor& scale, int64_t channels) {
  const auto values = scale.data<float>();
  return values.size() == 1 ? std::vector<float>(static_cast<size_t>(channels), values[0])
                            : std::vector<float>(values.begin(), values.end());
}

/// i8 weights with zero point 0, one scale or one per output channel.
bool take_weight(ModelIndex& index, QuantisedLayer& result, std::vector<float>& scales) {
  const Node* node = index.node(result.layer->inputs[1]);
  if (node == nullptr || node->op != Op::DequantizeLinear || !index.is_constant(node->inputs[0])) {
    return false;
  }
  const Tensor& weight = index.constant(node->inputs[0]);
  const Tensor& scale = index.constant(node->inputs[1]);
  const Tensor& zero_point = index.constant(node->inputs[2]);
  const bool per_output = scale.size() == 1 || node->as<graph::AxisAttributes>().axis == 0;
  if (weight.dtype() != DType::I8 || zero_point.dtype() != DType::I8 || !per_output) {
    return false;
  }
  const auto zeros = zero_point.data<int8_t>();
  if (std::any_of(zeros.begin(), zeros.end(), [](int8_t zero) { return zero != 0; })) {
    return false;
  }
  result.weight = weight;
  scales = channel_scales(scale, weight.dim(0));
  return true;
}

/// The bias in units of the sums: exactly the stored integers when its scale is input scale times
/// weight scale.
bool take_bias(ModelIndex& index, QuantisedLayer& result, const std::vector<float>& weight_scales) {
  result.bias.assign(weight_scales.size(), 0.0F);
  if (result.layer->inputs.size() < 3) {
    return true;
  }
  const std::string& name = result.layer->inputs[2];
  if (!index.is_constant(name)) {
    return false;
  }
  const Tensor& real = index.constant(name);
  const auto values = real.data<float>();
  for (size_t c = 0; c < result.bias.size(); ++c) {
    const double unit = double{result.input_quantisation.scale} * double{weight_scales[c]};
    const double sums = double{values[c]} / unit;
    const double nearest = std::nearbyint(sums);
    const bool stored_integer = std::abs(sums - nearest) <= 1e-6 * std::max(1.0, std::abs(sums));
    result.bias[c] = static_cast<float>(stored_integer ? nearest : sums);
  }
  return true;
}

bool is_product(const Node* node) {
  return node != nullptr && (node->op == Op::Conv || node->op == Op::Gemm);
}

/// The Conv or Gemm that an Add(layer, DQ(residual)) adds to.
const Node* take_residual(const ModelIndex& index, const Node& add, QuantisedLayer& result) {
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const Node* layer = index.private_node(add.inputs[side]);
    const Node* residual = dequantised(index, add.inputs[1 - side]);
    if (!is_product(layer) || residual == nullptr || residual->shape != layer->shape) {
      continue;
    }
    if (const auto quantisation = per_tensor_quantisation(index, *residual)) {
      result.residual = residual->inputs[0];
      result.residual_quantisation = *quantisation;
      return layer;
    }
  }
  return nullptr;
}

/// Walks from the last f32 node over [Relu | Clip] and [Add(DQ)] to the Conv or Gemm.
const Node* take_tail(const ModelIndex& index, const Node* node, QuantisedLayer& result) {
  if (const std::optional<float> high = rectified_below(*node)) {
    result.relu = true;
    result.ceiling = *high;
    node = index.private_node(node->inputs[0]);
  }
  if (node != nullptr && node->op == Op::Add) {
    return take_residual(index, *node, result);
  }
  return is_product(node) ? node : nullptr;
}

}  // namespace

std::optional<float> rectified_below(const Node& node) {
  if (node.op == Op::Relu) {
    return std::numeric_limits<float>::infinity();
  }
  const auto* clip = std::get_if<graph::ClipAttributes>(&node.attributes);
  return clip != nullptr && clip->low == 0 ? std::optional<float>(clip->high) : std::nullopt;
}

std::optional<Quantisation> per_tensor_quantisation(const ModelIndex& index, const Node& node) {
  const Tensor& scale = index.model().weight(node.inputs[1]);
  const Tensor& zero_point = index.model().weight(node.inputs[2]);
  if (scale.size() != 1 || !is_byte(zero_point.dtype())) {
    return std::nullopt;
  }
  return Quantisation{scale.data<float>()[0], zero_point_value(zero_point), zero_point.dtype()};
}

std::optional<QuantisedLayer> match_quantised_layer(ModelIndex& index, const Node& last) {
  QuantisedLayer result;
  result.output = &last;
  const Node* tail = &last;
  float output_scale = 1;
  if (last.op == Op::QuantizeLinear) {
    const auto quantisation = per_tensor_quantisation(index, last);
    tail = index.private_node(last.inputs[0]);
    if (!quantisation || tail == nullptr) {
      return std::nullopt;
    }
    output_scale = quantisation->scale;
    result.output_zero_point = quantisation->zero_point;
  }
  result.layer = take_tail(index, tail, result);
  if (result.layer == nullptr) {
    return std::nullopt;
  }
  const Node* input = dequantised(index, result.layer->inputs[0]);
  const auto quantisation =
      input == nullptr ? std::nullopt : per_tensor_quantisation(index, *input);
  std::vector<float> weight_scales;
  if (!quantisation || !take_weight(index, result, weight_scales)) {
    return std::nullopt;
  }
  result.input = input->inputs[0];
  result.input_quantisation = *quantisation;
  if (!take_bias(index, result, weight_scales)) {
    return std::nullopt;
  }
  result.ceiling /= output_scale;
  for (const float weight_scale : weight_scales) {
    result.multipliers.push_back(static_cast<float>(double{quantisation->scale} *
                                                    double{weight_scale} / double{output_scale}));
  }
  result.residual_multiplier =
      static_cast<float>(double{result.residual_quantisation.scale} / double{output_scale});
  return result;
}

}  // namespace coppice::runtime
