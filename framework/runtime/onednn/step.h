#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/onednn/library.h"

namespace coppice::runtime::onednn {

/// Start of every buffer of a plan, by index.
using Buffers = std::span<std::byte* const>;

/// One call of a plan.
class Step {
 public:
  virtual ~Step() = default;

  /// Told once where the buffers lie; nullptr marks the caller's memory, which is known only when
  /// the plan runs.
  virtual void bind(Buffers buffers) = 0;

  virtual void run(Buffers buffers) = 0;

  /// What does it, for profiles; "" where the stage's name says it.
  virtual std::string work() const { return {}; }
};

/// Memory of a primitive: a buffer of the plan, or packed constants.
struct Argument {
  int id = 0;  ///< DNNL_ARG_…
  dnnl::memory::desc desc;
  size_t buffer = 0;
  dnnl::memory constant;  ///< set for constants
};

/// Runs a oneDNN primitive through the C API, which takes its arguments without building a map.
class PrimitiveStep final : public Step {
 public:
  PrimitiveStep(std::string node,
                dnnl::primitive primitive,
                dnnl::stream stream,
                std::vector<Argument> arguments);

  void bind(Buffers buffers) override;
  void run(Buffers buffers) override;
  std::string work() const override;  ///< "convolution jit_int8:avx512_core_vnni"

 private:
  struct External {
    dnnl_memory_t memory = nullptr;
    size_t buffer = 0;
  };

  std::string node_;
  dnnl::primitive primitive_;
  dnnl::stream stream_;
  std::vector<Argument> arguments_;
  std::vector<dnnl::memory> memories_;
  std::vector<External> externals_;
  std::vector<dnnl_exec_arg_t> call_;
};

/// Runs one of our own loops.
class LoopStep final : public Step {
 public:
  LoopStep(std::function<void(Buffers)> loop, std::string label)
      : loop_(std::move(loop)), label_(std::move(label)) {}

  void bind(Buffers) override {}

  void run(Buffers buffers) override { loop_(buffers); }

  std::string work() const override { return label_; }

 private:
  std::function<void(Buffers)> loop_;
  std::string label_;
};

}  // namespace coppice::runtime::onednn
