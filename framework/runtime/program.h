#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "runtime/engine.h"

namespace coppice::runtime {

/// A model compiled by one backend: what an Engine runs once it has checked its arguments.
class Program {
 public:
  virtual ~Program() = default;

  /// Dense row-major values in graph order, `batch` samples of each, 1 <= batch <= max_batch.
  /// Allocates nothing.
  virtual void run(std::span<const std::byte* const> inputs,
                   std::span<std::byte* const> outputs,
                   int64_t batch) = 0;

  /// The same with the time of every step, in order. A backend that can't look inside leaves it as
  /// it is: the whole is one step.
  virtual std::vector<StepTime> run_profiled(std::span<const std::byte* const> inputs,
                                             std::span<std::byte* const> outputs,
                                             int64_t batch);

  /// Bytes of the arena that holds all activations.
  virtual int64_t arena_bytes() const = 0;
};

/// One way to run models. `compile` takes a model that verifies, after graph::inference_passes(),
/// and throws Error{Unsupported} naming node and op for what it can't run.
struct Backend {
  std::string_view name;
  std::unique_ptr<Program> (*compile)(const graph::Model& model, const EngineOptions& options);
  bool (*is_installed)();    ///< may load a library
  std::string (*version)();  ///< of its library: kernels change with it. REQUIRES: installed
};

/// Every backend that this build knows, in the order of "first"; the last one takes every model.
std::span<const Backend> all_backends();

/// A program and the backend that made it.
struct Compiled {
  std::unique_ptr<Program> program;
  std::string_view backend;
  std::string reason;
};

/// The fastest backend for the model on this device. Throws Error{Unsupported} when none takes it.
Compiled compile_fastest(const graph::Model& model, const EngineOptions& options);

namespace reference {
std::unique_ptr<Program> compile(const graph::Model& model, const EngineOptions& options);
}

namespace onednn {
std::unique_ptr<Program> compile(const graph::Model& model, const EngineOptions& options);
bool load_library();
std::string library_version();
}  // namespace onednn

namespace xnnpack {
std::unique_ptr<Program> compile(const graph::Model& model, const EngineOptions& options);
std::string library_version();
}  // namespace xnnpack

}  // namespace coppice::runtime
