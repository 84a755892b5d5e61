#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "graph/pass.h"
#include "runtime/models.h"

namespace coppice::runtime::testing {

using graph::DType;
using graph::Model;
using graph::Node;
using graph::Op;
using graph::Tensor;

namespace {

struct Range {
  float low = 0;
  float high = 0;
};

std::map<std::string, Range> observe(Model model, const Tensor& samples) {
  model.graph.outputs.clear();
  for (const Node& node : model.graph.nodes) {
    if (node.dtype == DType::F32) {
      model.graph.outputs.push_back(node.name);
    }
  }
  const std::vector<Tensor> values = run_model(model, {samples}, "reference");
  std::map<std::string, Range> ranges;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto data = values[i].data<float>();
    const auto [low, high] = std::minmax_element(data.begin(), data.end());
    ranges[model.graph.outputs[i]] = {std::min(*low, 0.0F), std::max(*high, 0.001F)};
  }
  return ranges;
}

class Quantiser {
 public:
  Quantiser(const Model& model, const Tensor& samples, const QdqOptions& options)
      : model_(model), options_(options), ranges_(observe(model, samples)), result_(model) {
    result_.graph.nodes.clear();
  }

  Model run() {
    for (const Node& node : model_.graph.nodes) {
      Node copy = node;
      switch (node.op) {
        case Op::Conv:
        case Op::Gemm:
          copy.inputs[0] = quantised(node.inputs[0]);
          quantise_weights(copy);
          break;
        case Op::MaxPool:
        case Op::GlobalAveragePool:
          copy.inputs[0] = quantised(node.inputs[0]);
          break;
        case Op::Add:
          quantise_operands(copy);
          break;
        default:
          break;
      }
      result_.graph.nodes.push_back(std::move(copy));
    }
    if (options_.quantise_logits) {
      for (std::string& output : result_.graph.outputs) {
        output = quantised(output);
      }
    }
    std::vector<std::unique_ptr<graph::Pass>> passes;
    passes.push_back(graph::make_remove_unused());
    graph::infer_shapes(result_);
    return graph::run_passes(std::move(result_), passes);
  }

 private:
  /// At least one operand; the one that is a layer of its own stays float unless all sums are
  /// quantised.
  void quantise_operands(Node& add) {
    bool spared = options_.quantise_sums;
    for (std::string& input : add.inputs) {
      const Node* source = model_.graph.find(input);
      if (!spared && source != nullptr && (source->op == Op::Conv || source->op == Op::Gemm)) {
        spared = true;
      } else {
        input = quantised(input);
      }
    }
  }

  /// The name of the DQ behind this activation; made when first asked for.
  std::string quantised(const std::string& name) {
    if (dequantised_.contains(name)) {
      return dequantised_[name];
    }
    const Node& node = model_.graph.at(name);
    if (node.op == Op::MaxPool && !options_.pool_scales) {
      scales_[name] = scales_.at(node.inputs[0]);
    } else {
      scales_[name] = choose(name);
    }
    const auto& [scale, zero] = scales_[name];
    add_node(
        {name + "/q", Op::QuantizeLinear, {name, scale, zero}, graph::AxisAttributes{}, {}, {}});
    add_node({name + "/dq",
              Op::DequantizeLinear,
              {name + "/q", scale, zero},
              graph::AxisAttributes{},
              {},
              {}});
    return dequantised_[name] = name + "/dq";
  }

  std::pair<std::string, std::string> choose(const std::string& name) {
    const Range range = ranges_.at(name);
    float scale = range.high / 255;
    Tensor zero(DType::U8, {});
    if (options_.asymmetric) {
      scale = (range.high - range.low) / 255;
      zero.data<uint8_t>()[0] = static_cast<uint8_t>(std::lround(-range.low / scale));
    } else if (range.low < 0) {
      scale = std::max(range.high, -range.low) / 127;
      zero = Tensor(DType::I8, {});
    }
    return {constant(name + "/scale", Tensor::from<float>({}, std::vector<float>{scale})),
            constant(name + "/zero", zero)};
  }

  void quantise_weights(Node& node) {
    const Tensor& weight = model_.weight(node.inputs[1]);
    const auto channels = static_cast<size_t>(weight.dim(0));
    const size_t row = static_cast<size_t>(weight.size()) / channels;
    const float input_scale =
        result_.weight(scales_.at(model_.graph.at(node.name).inputs[0]).first).data<float>()[0];
    Tensor integers(DType::I8, weight.shape());
    std::vector<float> scales;
    std::vector<float> bias_scales;
    for (size_t c = 0; c < channels; ++c) {
      const auto values = weight.data<float>().subspan(c * row, row);
      float largest = 1e-6F;
      for (const float value : values) {
        largest = std::max(largest, std::abs(value));
      }
      scales.push_back(largest / 127);
      bias_scales.push_back(scales.back() * input_scale);
      for (size_t i = 0; i < row; ++i) {
        integers.data<int8_t>()[c * row + i] =
            static_cast<int8_t>(std::lround(values[i] / scales[c]));
      }
    }
    if (node.inputs.size() > 2) {
      const Tensor& bias = model_.weight(node.inputs[2]);
      Tensor steps(DType::I32, bias.shape());
      for (size_t c = 0; c < channels; ++c) {
        steps.data<int32_t>()[c] =
            static_cast<int32_t>(std::lround(bias.data<float>()[c] / bias_scales[c]));
      }
      node.inputs[2] = stored(node.inputs[2], steps, bias_scales);
    }
    node.inputs[1] = stored(node.inputs[1], integers, scales);
  }

  std::string stored(const std::string& name,
                     const Tensor& integers,
                     const std::vector<float>& scales) {
    const auto count = static_cast<int64_t>(scales.size());
    constant(name + "/int", integers);
    constant(name + "/scale", Tensor::from<float>({count}, scales));
    constant(name + "/zero", Tensor(integers.dtype(), {count}));
    add_node({name + "/dq",
              Op::DequantizeLinear,
              {name + "/int", name + "/scale", name + "/zero"},
              graph::AxisAttributes{0},
              {},
              {}});
    return name + "/dq";
  }

  void add_node(Node node) { result_.graph.nodes.push_back(std::move(node)); }

  std::string constant(const std::string& name, Tensor tensor) {
    result_.weights.insert_or_assign(name, std::move(tensor));
    return name;
  }

  const Model& model_;
  QdqOptions options_;
  std::map<std::string, Range> ranges_;
  std::map<std::string, std::string> dequantised_;
  std::map<std::string, std::pair<std::string, std::string>> scales_;
  Model result_;
};

}  // namespace

Model to_qdq(const Model& model, const Tensor& samples, const QdqOptions& options) {
  return Quantiser(graph::run_passes(model, graph::inference_passes()), samples, options).run();
}

}  // namespace coppice::runtime::testing
