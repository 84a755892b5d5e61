#include "train/engine_predictions.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "core/error.h"

namespace coppice::train {

namespace {

graph::Tensor input_of(const data::Batch& batch, const data::Schema& schema) {
  graph::Shape shape{batch.size};
  shape.insert(shape.end(), schema.sample_shape.begin(), schema.sample_shape.end());
  graph::Tensor tensor(schema.type == data::ElementType::U8 ? graph::DType::U8 : graph::DType::F32,
                       shape);
  std::memcpy(tensor.bytes(), batch.samples.data(), batch.samples.size());
  return tensor;
}

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
    const std::array<graph::Tensor, 1> inputs{input_of(batch, dataset.schema())};
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
