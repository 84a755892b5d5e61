#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::runtime {

struct EngineOptions {
  /// "onednn", "xnnpack", "reference"; "first": the first of these that is installed and takes the
  /// model, the same in every run; "auto": the fastest of them on this device, measured when the
  /// model is first loaded and remembered in `cache`. Results of two backends may differ in the
  /// last bit, so whatever must come out the same in every run names one, or "first".
  std::string backend = "first";
  int64_t threads = 1;
  int64_t max_batch = 1;  ///< `run` takes any batch from 1 to this
  /// File that keeps what "auto" chose; empty: $XDG_CACHE_HOME/coppice/engine.json; "none": no
  /// file. One that is damaged counts as empty, one that can't be written is left alone.
  std::string cache = "";
  int64_t memory_mb = 4000;  ///< that the activations of a run may take

  void visit(core::Fields& f);
};

/// One step of a run: a layer with all that is fused into it, or a change of layout before one.
struct StepTime {
  std::string node;  ///< whose output it makes or prepares
  std::string work;  ///< how: "Conv", "convolution jit_int8:avx512_core_vnni", "reorder …"
  double micros = 0;
};

/// Runs a model. Built once; `run` allocates nothing. One engine belongs to one thread at a time;
/// several engines may live in one process and run side by side.
class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::string_view backend() const = 0;

  /// Why that one, in words: what was asked for, or what "auto" measured.
  virtual std::string_view reason() const = 0;

  /// `inputs` and `outputs` in the order of the graph's inputs and outputs, batch first, dtypes as
  /// in the graph. Throws Error{InvalidArgument} for a wrong number, dtype, shape or a batch above
  /// max_batch.
  virtual void run(std::span<const graph::Tensor> inputs, std::span<graph::Tensor> outputs) = 0;

  /// The same with the time of every step, in order, where the backend can tell; else the whole is
  /// one step. For profiles: it allocates, and the clock costs every step some 50 ns.
  virtual std::vector<StepTime> run_profiled(std::span<const graph::Tensor> inputs,
                                             std::span<graph::Tensor> outputs) = 0;

  /// The prepared graph (inference passes applied).
  virtual const graph::Model& model() const = 0;

  /// Bytes of the arena that holds all activations.
  virtual int64_t arena_bytes() const = 0;
};

/// Throws Error{Unsupported} naming node and op when the backend can't run it or memory_mb does not
/// hold its activations (before they are allocated), Error{NotFound} for an unknown backend or
/// one whose library is not installed.
std::unique_ptr<Engine> build_engine(const graph::Model& model, const EngineOptions& options = {});

/// Values of EngineOptions::backend.
std::vector<std::string> backend_choices();

/// Names of the backends that this machine has the libraries for, in the order of "first".
std::vector<std::string> backends();

/// Convenience for evaluation: runs `samples` [n, …] in batches of at most `max_batch`, returns the
/// first output [n, …]. REQUIRES: the engine's model has one input; its max_batch is at least
/// `max_batch`.
graph::Tensor run_all(Engine& engine, const graph::Tensor& samples, int64_t max_batch);

/// Arg-max per row of logits [n, classes]; the lowest index wins a tie.
std::vector<int64_t> argmax_rows(const graph::Tensor& logits);

/// Softmax probabilities per row.
graph::Tensor softmax_rows(const graph::Tensor& logits);

}  // namespace coppice::runtime
