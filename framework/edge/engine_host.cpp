#include "edge/engine_host.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "core/hash.h"
#include "graph/onnx.h"

namespace coppice::edge {

namespace {

/// As it will be used, before anything depends on it.
void try_on_zeros(runtime::Engine& engine) {
  const auto inputs = engine.model().graph.inputs();
  if (inputs.size() != 1) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "the model must have one input to be run on a device");
  }
  graph::Shape shape = inputs.front()->shape;
  shape.front() = 1;
  const graph::Tensor logits =
      runtime::run_all(engine, graph::Tensor(inputs.front()->dtype, shape), 1);
  if (logits.shape().size() != 2 || logits.dtype() != graph::DType::F32) {
    throw core::Error(core::ErrorKind::Unsupported,
                      fmt::format("the model must give one number per class, not {} of {}",
                                  graph::to_string(logits.shape()),
                                  graph::to_string(logits.dtype())));
  }
  const auto values = logits.data<float>();
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
    throw core::Error(core::ErrorKind::Numeric, "the model gives NaN or infinity for zeros");
  }
}

double share(float probability) {
  return std::isfinite(probability) ? std::clamp(static_cast<double>(probability), 0.0, 1.0) : 0;
}

}  // namespace

std::function<void()> EngineHost::prepare(std::span<const std::byte> artefact) {
  std::shared_ptr<runtime::Engine> engine =
      runtime::build_engine(graph::from_onnx(artefact), options_);
  try_on_zeros(*engine);
  return [this, engine = std::move(engine), hash = core::sha256(artefact)] {
    engine_ = engine;
    hash_ = hash;
  };
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
    predictions.push_back({labels[i], share(values[i * classes + static_cast<size_t>(labels[i])])});
  }
  return predictions;
}

}  // namespace coppice::edge
