#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "compress/qdq.h"
#include "core/error.h"
#include "graph/pass.h"

namespace coppice::compress {

using graph::DType;
using graph::Node;
using graph::Op;
using graph::Tensor;

namespace {

/// Biases stay within this, which leaves a sum of int32 accumulators as much room again.
constexpr double kLargestBias = 1 << 30;

template <class T>
T round_to(double value, double low, double high) {
  return static_cast<T>(std::clamp(std::nearbyint(value), low, high));
}

/// One scale per output channel, positive even where all weights are 0.
std::vector<float> weight_scales(const Tensor& weight, bool per_channel) {
  const auto channels = static_cast<size_t>(weight.dim(0));
  const auto row = static_cast<size_t>(weight.size()) / channels;
  std::vector<float> scales;
  for (size_t c = 0; c < channels; ++c) {
    double largest = 0;
    for (const float value : weight.data<float>().subspan(c * row, row)) {
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    scales.push_back(static_cast<float>(largest / 127));
  }
  if (!per_channel) {
    std::fill(scales.begin(), scales.end(), *std::max_element(scales.begin(), scales.end()));
  }
  for (float& scale : scales) {
    scale = scale < std::numeric_limits<float>::min() ? 1.0F : scale;
  }
  return scales;
}

QuantisedWeight round_weight(const Tensor& weight, std::vector<float> scales) {
  const auto row = static_cast<size_t>(weight.size()) / scales.size();
  Tensor integers(DType::I8, weight.shape());
  const auto values = weight.data<float>();
  const auto out = integers.data<int8_t>();
  for (size_t i = 0; i < values.size(); ++i) {
    out[i] = round_to<int8_t>(
        static_cast<double>(values[i]) / static_cast<double>(scales[i / row]), -127, 127);
  }
  return {std::move(integers), std::move(scales)};
}

/// Scales no finer than what the bias can express; a channel that this changes is rounded anew.
QuantisedWeight with_room_for(const Tensor& bias, float input_scale, QuantisedWeight weight) {
  const auto row = static_cast<size_t>(weight.integers.size()) / weight.scales.size();
  for (size_t c = 0; c < weight.scales.size(); ++c) {
    const double offset = std::abs(static_cast<double>(bias.data<float>()[c]));
    const double least = offset / static_cast<double>(input_scale) / kLargestBias;
    const auto scale = static_cast<double>(weight.scales[c]);
    if (scale < least) {
      weight.scales[c] = static_cast<float>(least);
      for (int8_t& integer : weight.integers.data<int8_t>().subspan(c * row, row)) {
        integer = round_to<int8_t>(integer * scale / least, -127, 127);
      }
    }
  }
  return weight;
}

class Inserter {
 public:
  Inserter(const graph::Model& model,
           const QdqPlan& plan,
           const std::map<std::string, ActivationRange>& ranges,
           const std::map<std::string, QuantisedWeight>& weights)
      : model_(model),
        plan_(plan),
        ranges_(ranges),
        weights_(weights),
        layers_(plan.layers.begin(), plan.layers.end()) {
    result_ = model;
    result_.graph.nodes.clear();
    for (const Node& node : model.graph.nodes) {
      taken_.insert(node.name);
    }
    for (const auto& [name, tensor] : model.weights) {
      taken_.insert(name);
    }
  }

  graph::Model run() {
    for (const Node& node : model_.graph.nodes) {
      Node copy = node;
      for (std::string& input : copy.inputs) {
        if (const auto it = integers_.find(input); it != integers_.end()) {
          input = it->second;
        }
      }
      if (layers_.contains(node.name)) {
        quantise_weights(node, copy);
      }
      result_.graph.nodes.push_back(std::move(copy));
      if (plan_.scale_of.contains(node.name)) {
        quantise_output(node.name);
      }
    }
    std::vector<std::unique_ptr<graph::Pass>> passes;
    passes.push_back(graph::make_remove_unused());
    graph::infer_shapes(result_);
    return graph::run_passes(std::move(result_), passes);
  }

 private:
  const ActivationRange& range_of(const std::string& name) const {
    return ranges_.at(plan_.scale_of.at(name));
  }

  /// Appends a quantised weight and the node that reads it back.
  std::string dequantised(const std::string& name, Tensor integers, std::vector<float> scales) {
    const auto count = std::ssize(scales);
    const std::string stored = add_weight(name + "_q", std::move(integers));
    const std::string scale = add_weight(name + "_scale", Tensor::from<float>({count}, scales));
    const std::string zero = zero_point(result_.weight(stored).dtype(), {count});
    return append(name + "_dq", Op::DequantizeLinear, {stored, scale, zero});
  }

  /// Puts integers in place of a layer's weight and bias.
  void quantise_weights(const Node& node, Node& copy) {
    const Tensor& weight = model_.weight(node.inputs[1]);
    const Tensor* bias = node.inputs.size() > 2 ? &model_.weight(node.inputs[2]) : nullptr;
    const float input_scale = range_of(node.inputs[0]).scale();
    QuantisedWeight rounded = rounded_weight(node, weight);
    if (bias != nullptr) {
      rounded = with_room_for(*bias, input_scale, std::move(rounded));
    }
    const std::vector<float> scales = rounded.scales;
    copy.inputs[1] = dequantised(node.name + ".weight", std::move(rounded.integers), scales);
    if (bias != nullptr) {
      std::vector<float> bias_scales;
      Tensor bias_integers(DType::I32, bias->shape());
      for (size_t c = 0; c < scales.size(); ++c) {
        bias_scales.push_back(std::max(input_scale * scales[c], std::numeric_limits<float>::min()));
        const double exact =
            static_cast<double>(bias->data<float>()[c]) / static_cast<double>(bias_scales[c]);
        bias_integers.data<int32_t>()[c] = round_to<int32_t>(exact, -kLargestBias, kLargestBias);
      }
      copy.inputs[2] =
          dequantised(node.name + ".bias", std::move(bias_integers), std::move(bias_scales));
    }
  }

  QuantisedWeight rounded_weight(const Node& layer, const Tensor& weight) const {
    const auto known = weights_.find(layer.name);
    return known != weights_.end()
               ? QuantisedWeight{known->second.integers.clone(), known->second.scales}
               : round_weight(weight, weight_scales(weight, plan_.per_channel));
  }

  /// Consumers of `name` read its integers from here on.
  void quantise_output(const std::string& name) {
    const ActivationRange& range = range_of(name);
    const std::string& owner = plan_.scale_of.at(name);
    if (!scales_.contains(owner)) {
      const std::vector<float> value{range.scale()};
      scales_[owner] = add_weight(owner + "_scale", Tensor::from<float>({}, value));
    }
    const std::string zero = zero_point(range.is_signed ? DType::I8 : DType::U8, {});
    const std::string quantised =
        append(name + "_q", Op::QuantizeLinear, {name, scales_[owner], zero});
    integers_[name] = append(name + "_dq", Op::DequantizeLinear, {quantised, scales_[owner], zero});
  }

  /// Zeros of one dtype and shape are stored once.
  std::string zero_point(DType dtype, const graph::Shape& shape) {
    std::string& name = zeros_[{dtype, shape}];
    if (name.empty()) {
      const std::string suffix = shape.empty() ? "" : "_" + std::to_string(shape[0]);
      name = add_weight("zero_" + std::string(to_string(dtype)) + suffix, Tensor(dtype, shape));
    }
    return name;
  }

  std::string append(const std::string& name, Op op, std::vector<std::string> inputs) {
    Node node;
    node.name = unused(name);
    node.op = op;
    node.inputs = std::move(inputs);
    node.attributes = graph::AxisAttributes{.axis = 0};
    result_.graph.nodes.push_back(std::move(node));
    return result_.graph.nodes.back().name;
  }

  std::string add_weight(const std::string& name, Tensor tensor) {
    const std::string free = unused(name);
    result_.weights.emplace(free, std::move(tensor));
    return free;
  }

  std::string unused(const std::string& name) {
    std::string candidate = name;
    for (int i = 2; !taken_.insert(candidate).second; ++i) {
      candidate = name + "_" + std::to_string(i);
    }
    return candidate;
  }

  const graph::Model& model_;
  const QdqPlan& plan_;
  const std::map<std::string, ActivationRange>& ranges_;
  const std::map<std::string, QuantisedWeight>& weights_;
  std::set<std::string> layers_;
  graph::Model result_;
  std::set<std::string> taken_;
  std::map<std::string, std::string> integers_;  // float output → its dequantised integers
  std::map<std::string, std::string> scales_;    // owner → name of the stored scale
  std::map<std::pair<DType, graph::Shape>, std::string> zeros_;
};

}  // namespace

graph::Model insert_qdq(const graph::Model& model,
                        const QdqPlan& plan,
                        const std::map<std::string, ActivationRange>& ranges,
                        const std::map<std::string, QuantisedWeight>& weights) {
  return Inserter(model, plan, ranges, weights).run();
}

}  // namespace coppice::compress
