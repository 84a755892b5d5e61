#include "coppice/model_layers.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "coppice/model_samples.h"
#include "coppice/model_source.h"
#include "core/error.h"
#include "graph/cost.h"
#include "graph/onnx.h"

namespace coppice::tools {

namespace {

constexpr int64_t kJudgedAtOnce = 64;

/// Of the weights that a node reads, also through DequantizeLinear.
int64_t bytes_of(const graph::Model& model, const graph::Node& node) {
  int64_t bytes = 0;
  for (const std::string& input : node.inputs) {
    if (model.is_weight(input)) {
      bytes += model.weight(input).bytes_size();
    } else if (const graph::Node* before = model.graph.find(input);
               before != nullptr && before->op == graph::Op::DequantizeLinear &&
               model.is_weight(before->inputs[0])) {
      bytes += bytes_of(model, *before);
    }
  }
  return bytes;
}

/// An engine names a step after the last node that is fused into it; people look for the product
/// that it begins with.
std::map<std::string, double> micros_by_layer(const graph::Model& model,
                                              const std::map<std::string, int64_t>& macs,
                                              const std::vector<runtime::StepTime>& steps) {
  std::set<std::string> last;
  for (const runtime::StepTime& step : steps) {
    last.insert(step.node);
  }
  std::map<std::string, double> micros;
  for (const runtime::StepTime& step : steps) {
    const graph::Node* node = model.graph.find(step.node);
    while (node != nullptr && !macs.contains(node->name)) {
      const graph::Node* before =
          node->inputs.empty() ? nullptr : model.graph.find(node->inputs.front());
      node = before == nullptr || last.contains(before->name) ? nullptr : before;
    }
    micros[node == nullptr ? step.node : node->name] += step.micros;
  }
  return micros;
}

std::vector<LayerFacts> layers_of(const graph::Model& model,
                                  const std::vector<runtime::StepTime>& steps) {
  const auto macs = graph::macs_by_node(model);
  const auto micros = micros_by_layer(model, macs, steps);
  const auto parameters = graph::parameters_by_node(model);
  const auto of = [](const auto& values, const std::string& name) {
    const auto it = values.find(name);
    return it == values.end() ? typename std::decay_t<decltype(values)>::mapped_type{} : it->second;
  };
  std::vector<LayerFacts> layers;
  for (const graph::Node& node : model.graph.nodes) {
    LayerFacts layer{.name = node.name,
                     .op = std::string(graph::to_string(node.op)),
                     .shape = node.shape,
                     .channels = node.shape.size() > 1 ? node.shape[1] : 0,
                     .macs = of(macs, node.name),
                     .parameters = of(parameters, node.name),
                     .bytes = 0,
                     .latency_us = of(micros, node.name),
                     .measured = micros.contains(node.name)};
    if (layer.macs > 0 || layer.parameters > 0) {
      layer.bytes = bytes_of(model, node);
    }
    if (layer.macs > 0 || layer.parameters > 0 || layer.measured) {
      layers.push_back(std::move(layer));
    }
  }
  return layers;
}

void judge(const graph::Model& model, const ModelFactsOptions& options, ModelFacts& facts) {
  const ModelSamples samples = read_samples(options.data, only_input(model));
  if (samples.labels.empty()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("--data {}: it has no labels to judge by; give a data-set version "
                    "(.h5)",
                    options.data));
  }
  const auto engine = runtime::build_engine(
      model, {.backend = options.backend, .threads = options.threads, .max_batch = kJudgedAtOnce});
  const auto predicted =
      runtime::argmax_rows(runtime::run_all(*engine, samples.values, kJudgedAtOnce));
  int64_t right = 0;
  for (size_t i = 0; i < predicted.size(); ++i) {
    right += predicted[i] == samples.labels[i] ? 1 : 0;
  }
  facts.samples = static_cast<int64_t>(predicted.size());
  facts.accuracy = static_cast<double>(right) / static_cast<double>(facts.samples);
}

}  // namespace

std::vector<ModelFacts> measure_facts(const ModelFactsOptions& options) {
  std::vector<ModelFacts> all;
  std::vector<graph::Model> models;
  std::vector<std::unique_ptr<runtime::Engine>> engines;
  for (const std::string& source : options.sources) {
    models.push_back(open_model(source, options.overrides).model);
    engines.push_back(runtime::build_engine(
        models.back(), {.backend = options.backend, .threads = options.threads}));
    const graph::Cost cost = graph::cost(models.back());
    ModelFacts& facts = all.emplace_back();
    facts.source = source;
    facts.name = models.back().metadata.name;
    facts.macs = cost.macs;
    facts.parameters = cost.parameters;
    facts.weight_bytes = cost.weight_bytes;
    facts.activation_bytes = cost.activation_bytes;
    facts.file_bytes = static_cast<int64_t>(graph::to_onnx(models.back()).size());
    facts.backend = engines.back()->backend();
    if (!options.data.empty()) {
      judge(models.back(), options, facts);
    }
  }
  for (int64_t round = 0; round < options.rounds; ++round) {
    for (size_t i = 0; i < all.size(); ++i) {
      const auto latency = runtime::measure_latency(*engines[i], options.runs);
      if (round == 0 || latency.median_us < all[i].latency.median_us) {
        all[i].latency = latency;
      }
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].steps = runtime::measure_steps(*engines[i], {.runs = options.runs});
    all[i].layers = layers_of(models[i], all[i].steps);
  }
  return all;
}

}  // namespace coppice::tools
