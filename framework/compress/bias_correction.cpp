#include "compress/bias_correction.h"

#include <set>
#include <utility>

#include "compress/tap.h"
#include "graph/passes/rewire.h"

namespace coppice::compress {

namespace {

/// Mean over samples and positions of each channel of a node's output.
std::vector<std::vector<double>> channel_means(const graph::Model& model,
                                               const std::vector<std::string>& nodes,
                                               const graph::Tensor& samples) {
  std::vector<std::vector<double>> sums(nodes.size());
  std::vector<int64_t> counts(nodes.size(), 0);
  run_taps(model, nodes, samples, [&](std::span<const graph::Tensor> outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto channels = static_cast<size_t>(outputs[i].dim(1));
      const auto planes = static_cast<size_t>(outputs[i].dim(0)) * channels;
      const auto plane = static_cast<size_t>(outputs[i].size()) / planes;
      const auto values = outputs[i].data<float>();
      sums[i].resize(channels, 0);
      for (size_t p = 0; p < planes; ++p) {
        for (const double value : values.subspan(p * plane, plane)) {
          sums[i][p % channels] += value;
        }
      }
      counts[i] += static_cast<int64_t>(planes / channels * plane);
    }
  });
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (double& sum : sums[i]) {
      sum /= static_cast<double>(counts[i]);
    }
  }
  return sums;
}

}  // namespace

graph::Model with_own_biases(graph::Model model, const QdqPlan& plan) {
  for (const std::string& layer : plan.layers) {
    graph::Node& node = *model.graph.find(layer);
    if (node.inputs.size() < 3) {
      const std::string name = graph::free_name(model, layer + ".bias");
      model.weights.emplace(
          name, graph::Tensor(graph::DType::F32, {model.weight(node.inputs[1]).dim(0)}));
      node.inputs.push_back(name);
    } else if (model.graph.consumers(node.inputs[2]).size() > 1) {
      const std::string name = graph::free_name(model, layer + ".bias");
      model.weights.emplace(name, model.weight(node.inputs[2]).clone());
      node.inputs[2] = name;
    }
  }
  return model;
}

graph::Model correct_biases(graph::Model model,
                            const QdqPlan& plan,
                            const std::map<std::string, ActivationRange>& ranges,
                            const graph::Tensor& samples) {
  const std::vector<std::vector<double>> wanted = channel_means(model, plan.layers, samples);
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const std::string& layer = plan.layers[i];
    const graph::Model quantised = insert_qdq(model, plan, ranges);
    const std::vector<double> actual = channel_means(quantised, {layer}, samples).front();
    graph::Tensor bias = model.weight(model.graph.at(layer).inputs[2]).clone();
    for (size_t c = 0; c < actual.size(); ++c) {
      bias.data<float>()[c] += static_cast<float>(wanted[i][c] - actual[c]);
    }
    model.weights.at(model.graph.at(layer).inputs[2]) = std::move(bias);
  }
  return model;
}

}  // namespace coppice::compress
