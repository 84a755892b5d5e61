#include "edge/engine_host.h"

#include <array>

#include "core/error.h"
#include "core/hash.h"
#include "graph/onnx.h"

namespace coppice::edge {

void EngineHost::load(std::span<const std::byte> artefact) {
  auto engine = runtime::build_engine(graph::from_onnx(artefact), options_);
  const auto inputs = engine->model().graph.inputs();
  if (inputs.size() != 1) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "the model must have one input to be run on a device");
  }
  graph::Shape shape = inputs.front()->shape;
  shape.front() = 1;
  runtime::run_all(*engine, graph::Tensor(inputs.front()->dtype, shape), 1);
  engine_ = std::move(engine);
  hash_ = core::sha256(artefact);
}

std::vector<Prediction> EngineHost::predict(const graph::Tensor& samples) {
  COPPICE_CHECK(loaded(), "predict before a model is loaded");
  const graph::Tensor logits = runtime::run_all(*engine_, samples, options_.max_batch);
  const graph::Tensor probabilities = runtime::softmax_rows(logits);
  const auto labels = runtime::argmax_rows(logits);
  const auto values = probabilities.data<float>();
  const auto classes = static_cast<size_t>(logits.dim(1));
  std::vector<Prediction> predictions;
  predictions.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    predictions.push_back({labels[i], values[i * classes + static_cast<size_t>(labels[i])]});
  }
  return predictions;
}

}  // namespace coppice::edge
