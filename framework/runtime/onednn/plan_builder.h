#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/onednn/library.h"
#include "runtime/onednn/packed_weights.h"
#include "runtime/onednn/plan.h"
#include "runtime/onednn/stage.h"
#include "runtime/onednn/step.h"

namespace coppice::runtime::onednn {

/// Where a value lies. A flattened view of blocked memory keeps the 4-dimensional layout: `desc`
/// then has more dimensions than the value.
struct Value {
  size_t buffer = 0;
  dnnl::memory::desc desc;
  dnnl::memory::dims dims;
  graph::DType dtype = graph::DType::F32;

  bool is_flattened() const { return desc.dims() != dims; }
};

/// Turns stages into a plan for one batch size: chooses primitives and layouts, inserts reorders
/// where layouts differ, and places everything in one arena.
class PlanBuilder {
 public:
  PlanBuilder(const graph::Model& model,
              std::span<const Stage> stages,
              int64_t batch,
              const dnnl::engine& engine,
              PackedWeights& weights);

  Plan build();

  // For the builders of stages (builders.h).

  const dnnl::engine& engine() const { return engine_; }

  PackedWeights& weights() { return weights_; }

  /// Those that the plan will run with.
  int threads() const;

  const Stage& stage() const { return stages_[current_]; }

  /// A graph shape with the batch filled in.
  dnnl::memory::dims dims(const graph::Shape& shape) const;

  const Value& value(const std::string& name) const { return values_.at(name); }

  /// A buffer that holds the value in this layout: its own, or a reordered copy that later stages
  /// share.
  size_t in_layout(const std::string& name, const dnnl::memory::desc& desc);
  size_t in_plain_layout(const std::string& name);

  size_t new_buffer(const dnnl::memory::desc& desc);

  /// The memory of a value, to be overwritten by the current stage: nobody reads it later. False
  /// for the caller's memory.
  bool may_overwrite(const std::string& name) const;
  /// Whether two values share memory, as aliases do.
  bool share_memory(const std::string& a, const std::string& b) const;

  void add_reorder(size_t from_buffer,
                   const dnnl::memory::desc& from,
                   size_t to_buffer,
                   const dnnl::memory::desc& to);
  /// Adds the scratch pad to the arguments. REQUIRES: made with scratchpad_mode::user.
  void add_primitive(const dnnl::primitive& primitive,
                     const dnnl::memory::desc& scratch,
                     std::vector<Argument> arguments);
  /// `label`: what profiles call it, the stage's name where there is none.
  void add_loop(std::function<void(Buffers)> loop,
                std::span<const size_t> buffers,
                std::string label = {});

  /// The output of the current stage.
  void define(size_t buffer, const dnnl::memory::desc& desc);

 private:
  enum class Place { Arena, Input, Output };

  struct Buffer {
    Place place = Place::Arena;
    int64_t bytes = 0;
    int64_t first = -1;
    int64_t last = -1;
    size_t port = 0;
  };

  struct Copy {
    dnnl::memory::desc desc;
    size_t buffer = 0;
  };

  std::string current_node() const;
  void add_step(std::unique_ptr<Step> step, std::span<const size_t> buffers);
  void add_inputs();
  void add_outputs();
  void find_last_uses();
  const std::string& root(const std::string& name) const;
  Plan place();

  const graph::Model& model_;
  std::span<const Stage> stages_;
  int64_t batch_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  PackedWeights& weights_;
  size_t current_ = 0;
  std::map<std::string, Value> values_;
  std::map<std::string, std::vector<Copy>> copies_;
  std::map<std::string, std::string> roots_;
  std::map<std::string, size_t> last_uses_;  ///< by root: the last stage that reads it
  std::vector<Buffer> buffers_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<StepTime> labels_;
};

}  // namespace coppice::runtime::onednn
