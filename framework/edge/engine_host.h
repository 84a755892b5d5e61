#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/files.h"
#include "runtime/engine.h"

namespace coppice::edge {

struct Prediction {
  int64_t label = 0;
  double confidence = 0;  ///< softmax probability of `label`; 0 where the model gives no number
};

/// Runs the installed model. Not thread-safe.
class EngineHost {
 public:
  explicit EngineHost(runtime::EngineOptions options) : options_(std::move(options)) {}

  /// Builds an engine from ONNX bytes and tries it on zeros. Until the returned function is called
  /// the engine before stays in service; calling it does not fail. Throws core::Error, among them
  /// Error{Unsupported} for a model that is no classifier with one input and Error{Numeric} for one
  /// that answers zeros with NaN or infinity. REQUIRES: the host outlives the function.
  std::function<void()> prepare(std::span<const std::byte> artefact);

  /// Prepares and puts in service.
  void load(std::span<const std::byte> artefact) { prepare(artefact)(); }

  bool loaded() const { return engine_ != nullptr; }

  const std::string& artefact_hash() const { return hash_; }

  /// REQUIRES: loaded().
  const graph::Model& model() const { return engine_->model(); }

  /// What runs it, and why. REQUIRES: loaded().
  std::string_view backend() const { return engine_->backend(); }

  std::string_view reason() const { return engine_->reason(); }

  /// `samples`: [n, …] raw input. REQUIRES: loaded(). Throws Error{InvalidArgument} for samples
  /// that do not fit the model.
  std::vector<Prediction> predict(const graph::Tensor& samples);

 private:
  runtime::EngineOptions options_;
  std::shared_ptr<runtime::Engine> engine_;
  std::string hash_;
};

}  // namespace coppice::edge
