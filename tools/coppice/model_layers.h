#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/profile.h"

namespace coppice::tools {

/// What one node of a model is and costs, for one sample.
struct LayerFacts {
  std::string name;
  std::string op;
  graph::Shape shape;    ///< of the output, kBatch first
  int64_t channels = 0;  ///< of the output; 0 where it has no such dimension
  int64_t macs = 0;
  int64_t parameters = 0;
  int64_t bytes = 0;      ///< of its weights, as stored
  double latency_us = 0;  ///< of the engine's steps that compute it, with all that is fused into it
  bool measured = false;  ///< it has such a step; what is fused into a layer has none
};

/// Layers that cost something, in graph order: QuantizeLinear and moves without a step are left
/// out.
struct ModelFacts {
  std::string source;  ///< as given
  std::string name;
  std::vector<LayerFacts> layers;
  int64_t macs = 0;
  int64_t parameters = 0;
  int64_t weight_bytes = 0;
  int64_t activation_bytes = 0;  ///< peak
  int64_t file_bytes = 0;        ///< as ONNX
  runtime::Latency latency;
  std::vector<runtime::StepTime> steps;
  std::string backend;
  std::optional<double> accuracy;
  int64_t samples = 0;  ///< that it was judged on
};

struct ModelFactsOptions {
  std::vector<std::string> sources;  ///< see open_model()
  std::vector<std::string> overrides;
  std::string backend = "first";
  int64_t threads = 1;
  int64_t runs = 200;
  int64_t rounds = 3;  ///< every model once in each; the least median counts
  std::string data;    ///< labelled samples to judge by, see read_samples(); empty: none
};

/// Throws core::Error for what can't be opened, run or judged.
std::vector<ModelFacts> measure_facts(const ModelFactsOptions& options);

}  // namespace coppice::tools
