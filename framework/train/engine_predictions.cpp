#include "train/engine_predictions.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/error.h"
#include "train/objective.h"
#include "train/sample_tensor.h"

namespace coppice::train {

namespace {

/// One tensor per output of the graph.
std::vector<graph::Tensor> outputs_for(const graph::Graph& graph, int64_t samples) {
  std::vector<graph::Tensor> outputs;
  for (const std::string& name : graph.outputs) {
    const graph::Node& node = graph.at(name);
    graph::Shape shape = node.shape;
    shape.at(0) = samples;
    outputs.emplace_back(node.dtype, shape);
  }
  return outputs;
}

size_t output_index(const graph::Graph& graph, const std::string& name) {
  const auto found = std::find(graph.outputs.begin(), graph.outputs.end(), name);
  if (found == graph.outputs.end()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        "the model has no output '" + name + "' that its reconstruction could be compared with");
  }
  return static_cast<size_t>(found - graph.outputs.begin());
}

}  // namespace

std::string expose_target(graph::Model& model) {
  std::string target = reconstruction_target(model);
  auto& outputs = model.graph.outputs;
  if (std::find(outputs.begin(), outputs.end(), target) == outputs.end()) {
    outputs.push_back(target);
  }
  return target;
}

Predictions predict(runtime::Engine& engine,
                    const data::Dataset& dataset,
                    int64_t batch_size,
                    const JudgeOptions& options,
                    const std::string& target) {
  const graph::Graph& graph = engine.model().graph;
  const bool reconstructs = options.task == "reconstruction";
  const size_t wanted = reconstructs ? output_index(graph, target) : 0;
  Predictions predictions(options, dataset.schema());
  data::Batch batch;
  for (int64_t first = 0; first < dataset.size(); first += batch_size) {
    std::vector<int64_t> indices(static_cast<size_t>(std::min(batch_size, dataset.size() - first)));
    std::iota(indices.begin(), indices.end(), first);
    dataset.read(indices, batch);
    const std::array<graph::Tensor, 1> inputs{to_tensor(batch, dataset.schema())};
    std::vector<graph::Tensor> outputs = outputs_for(graph, batch.size);
    engine.run(inputs, outputs);
    predictions.add(
        batch,
        std::as_const(outputs.front()).data<float>(),
        reconstructs ? std::as_const(outputs[wanted]).data<float>() : std::span<const float>());
  }
  return predictions;
}

}  // namespace coppice::train
