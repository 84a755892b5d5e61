#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/files.h"
#include "runtime/engine.h"

namespace coppice::edge {

struct Prediction {
  int64_t label = 0;
  double confidence = 0;  ///< softmax probability of `label`
};

/// Runs the installed model. Not thread-safe.
class EngineHost {
 public:
  explicit EngineHost(runtime::EngineOptions options) : options_(std::move(options)) {}

  /// Builds an engine from ONNX bytes and tries it on zeros; on any error the one before stays.
  /// Throws core::Error.
  void load(std::span<const std::byte> artefact);

  bool loaded() const { return engine_ != nullptr; }

  const std::string& artefact_hash() const { return hash_; }

  const graph::Model& model() const { return engine_->model(); }

  /// `samples`: [n, …] raw input. REQUIRES: loaded().
  std::vector<Prediction> predict(const graph::Tensor& samples);

 private:
  runtime::EngineOptions options_;
  std::unique_ptr<runtime::Engine> engine_;
  std::string hash_;
};

}  // namespace coppice::edge
