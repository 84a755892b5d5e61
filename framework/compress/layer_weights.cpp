#include "compress/layer_weights.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "compress/name_pattern.h"
#include "core/error.h"

namespace coppice::compress {

std::vector<LayerWeight> layer_weights(const graph::Model& model, std::string_view what) {
  std::vector<LayerWeight> layers;
  std::set<std::string> seen;
  const auto add = [&](const graph::Node& node, size_t input, bool spatial) {
    const std::string& name = node.inputs[input];
    const graph::Node* source = model.graph.find(name);
    if (source != nullptr && source->op == graph::Op::DequantizeLinear) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("{}: the model is quantised (node '{}'); quantise it "
                                    "afterwards, zeros stay zeros",
                                    what,
                                    node.name));
    }
    const bool plain = model.is_weight(name) && model.weight(name).dtype() == graph::DType::F32;
    if (plain && seen.insert(name).second) {
      layers.push_back({node.name, name, spatial});
    }
  };
  for (const graph::Node& node : model.graph.nodes) {
    switch (node.op) {
      case graph::Op::Conv:
      case graph::Op::ConvTranspose:
        add(node, 1, true);
        break;
      case graph::Op::Gemm:
      case graph::Op::MatMul:
        add(node, 1, false);
        break;
      case graph::Op::Lstm:
      case graph::Op::Gru:
        add(node, 1, false);
        add(node, 2, false);
        break;
      default:
        break;
    }
  }
  if (layers.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{}: the model has no layer with weights", what));
  }
  return layers;
}

void check_finite(const graph::Model& model, const LayerWeight& layer, std::string_view what) {
  const auto values = model.weight(layer.weight).data<float>();
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
    throw core::Error(core::ErrorKind::Numeric,
                      fmt::format("{}: the weights of '{}' are not finite", what, layer.node));
  }
}

std::vector<int> match_layers(const std::vector<LayerWeight>& layers,
                              const std::vector<std::string>& patterns,
                              std::string_view what) {
  std::vector<int> found(layers.size(), -1);
  for (size_t p = 0; p < patterns.size(); ++p) {
    bool any = false;
    for (size_t i = 0; i < layers.size(); ++i) {
      if (matches(patterns[p], layers[i].node)) {
        found[i] = static_cast<int>(p);
        any = true;
      }
    }
    if (!any) {
      std::vector<std::string> names;
      for (const LayerWeight& layer : layers) {
        names.push_back(layer.node);
      }
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("{}: '{}' fits no layer with weights{}",
                                    what,
                                    patterns[p],
                                    core::did_you_mean(patterns[p], names)));
    }
  }
  return found;
}

}  // namespace coppice::compress
