#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "c_source/element_loop.h"
#include "c_source/match.h"
#include "graph/graph.h"
#include "runtime/model_index.h"
#include "runtime/quantised.h"

namespace coppice::c_source {

/// One node by itself. Pooling reads 8-bit values directly where `dequantise` says how.
struct SingleNode {
  const graph::Node* node = nullptr;
  const graph::Node* dequantise = nullptr;
};

using Work = std::variant<runtime::QuantisedLayer, FloatLayer, ElementLoop, SingleNode>;

/// What is computed at once, from values in memory to one value in memory.
struct Step {
  const graph::Node* output = nullptr;
  Work work;
  std::vector<std::string> sources;  ///< activations that it reads
};

/// Where a value lies while a sample is computed.
struct Place {
  enum class In { Input, Output, Arena };
  In in = In::Arena;
  int64_t at = 0;  ///< number of the input or output, or offset in the arena
};

/// Steps and memory of a model for one sample at a time: what a reshape gives lies where its source
/// lies, an element-wise result takes the place of an operand that nobody reads again.
class Plan {
 public:
  /// Throws Error{Unsupported} for an input or output without a batch.
  explicit Plan(const graph::Model& model);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const graph::Model& model() const { return model_; }

  runtime::ModelIndex& index() { return index_; }

  const std::vector<Step>& steps() const { return steps_; }

  const graph::Node& node(const std::string& name) const { return *index_.node(name); }

  /// Of an input, or of what a step makes or a reshape gives.
  Place place(const std::string& name) const;

  /// Outputs that are inputs: to be copied at the end.
  const std::vector<size_t>& copied_outputs() const { return copied_outputs_; }

  int64_t arena_bytes() const { return arena_bytes_; }

 private:
  void plan_steps();
  Work work_of(const graph::Node& node);
  void plan_memory();
  /// The value in whose memory this one lies.
  const std::string& root(const std::string& name) const;

  graph::Model model_;
  runtime::ModelIndex index_;
  std::vector<Step> steps_;
  std::map<std::string, std::string> same_memory_;
  std::map<std::string, Place> places_;
  std::vector<size_t> copied_outputs_;
  int64_t arena_bytes_ = 0;
};

/// Elements of one sample of a value.
int64_t sample_size(const graph::Node& node);
/// Its shape without the batch.
graph::Shape sample_shape(const graph::Node& node);

}  // namespace coppice::c_source
