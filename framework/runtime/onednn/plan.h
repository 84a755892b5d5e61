#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "runtime/engine.h"
#include "runtime/onednn/step.h"

namespace coppice::runtime::onednn {

/// Steps for one batch size, with every buffer at its place. The arena comes from outside, since
/// plans never run together.
class Plan {
 public:
  struct Layout {
    std::vector<int64_t> offsets;                   ///< in the arena, -1 for the caller's memory
    std::vector<std::pair<size_t, size_t>> inputs;  ///< buffer, position among the inputs
    std::vector<std::pair<size_t, size_t>> outputs;
    int64_t arena_bytes = 0;
  };

  /// `labels`: node and work of every step.
  Plan(int64_t batch,
       Layout layout,
       std::vector<std::unique_ptr<Step>> steps,
       std::vector<StepTime> labels);

  int64_t batch() const { return batch_; }

  int64_t arena_bytes() const { return layout_.arena_bytes; }

  /// REQUIRES: 64-byte aligned, at least arena_bytes(), lives as long as the plan.
  void bind(std::byte* arena);

  /// Reads and writes `batch()` dense samples of each input and output.
  void run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);

  /// The same; appends every step with its time.
  void run_profiled(std::span<const std::byte* const> inputs,
                    std::span<std::byte* const> outputs,
                    std::vector<StepTime>& times);

 private:
  void point_at(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);

  int64_t batch_;
  Layout layout_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<StepTime> labels_;
  std::vector<std::byte*> buffers_;
};

}  // namespace coppice::runtime::onednn
