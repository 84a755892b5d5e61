#include "runtime/engine.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/pass.h"
#include "runtime/memory_limit.h"
#include "runtime/program.h"

namespace coppice::runtime {

namespace {

using core::Error;
using core::ErrorKind;
using graph::Tensor;

/// What one input or output must look like.
struct Port {
  std::string name;
  graph::DType dtype = graph::DType::F32;
  graph::Shape shape;

  bool fits(const Tensor& tensor, int64_t batch) const {
    return tensor.dtype() == dtype && tensor.shape().size() == shape.size() &&
           tensor.shape()[0] == batch &&
           std::equal(shape.begin() + 1, shape.end(), tensor.shape().begin() + 1);
  }
};

Port port(const graph::Node& node) {
  if (node.shape.empty() || node.shape[0] != graph::kBatch) {
    throw Error(
        ErrorKind::Unsupported,
        fmt::format("node '{}' ({}) has no batch dimension, so an engine can't take or return it",
                    node.name,
                    graph::to_string(node.op)));
  }
  return {node.name, node.dtype, node.shape};
}

[[noreturn]] void refuse(const Port& port,
                         const Tensor& tensor,
                         std::string_view role,
                         int64_t batch) {
  graph::Shape wanted = port.shape;
  wanted[0] = batch;
  throw Error(ErrorKind::InvalidArgument,
              fmt::format("{} '{}' must be {} {}, not {} {}",
                          role,
                          port.name,
                          graph::to_string(port.dtype),
                          graph::to_string(wanted),
                          graph::to_string(tensor.dtype()),
                          graph::to_string(tensor.shape())));
}

class CheckedEngine final : public Engine {
 public:
  CheckedEngine(graph::Model model, Compiled compiled, int64_t max_batch)
      : model_(std::move(model)),
        backend_(compiled.backend),
        reason_(std::move(compiled.reason)),
        program_(std::move(compiled.program)),
        max_batch_(max_batch) {
    for (const graph::Node* node : model_.graph.inputs()) {
      inputs_.push_back(port(*node));
    }
    for (const std::string& name : model_.graph.outputs) {
      outputs_.push_back(port(model_.graph.at(name)));
    }
    input_pointers_.resize(inputs_.size());
    output_pointers_.resize(outputs_.size());
  }

  std::string_view backend() const override { return backend_; }

  std::string_view reason() const override { return reason_; }

  const graph::Model& model() const override { return model_; }

  int64_t arena_bytes() const override { return program_->arena_bytes(); }

  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs) override {
    const int64_t batch = take(inputs, outputs);
    program_->run(input_pointers_, output_pointers_, batch);
  }

  std::vector<StepTime> run_profiled(std::span<const Tensor> inputs,
                                     std::span<Tensor> outputs) override {
    const int64_t batch = take(inputs, outputs);
    return program_->run_profiled(input_pointers_, output_pointers_, batch);
  }

 private:
  /// Checks the arguments and notes where they lie; returns the batch.
  int64_t take(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
    if (inputs.size() != inputs_.size() || outputs.size() != outputs_.size()) {
      throw Error(ErrorKind::InvalidArgument,
                  fmt::format("the model takes {} inputs and {} outputs, not {} and {}",
                              inputs_.size(),
                              outputs_.size(),
                              inputs.size(),
                              outputs.size()));
    }
    const int64_t batch =
        inputs.empty() || inputs[0].shape().empty() ? int64_t{1} : inputs[0].dim(0);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs_[i].fits(inputs[i], batch)) {
        refuse(inputs_[i], inputs[i], "input", batch);
      }
      input_pointers_[i] = inputs[i].bytes();
    }
    if (batch < 1 || batch > max_batch_) {
      throw Error(
          ErrorKind::InvalidArgument,
          fmt::format("batch {} lies outside 1 to {}: build the engine with a larger max_batch",
                      batch,
                      max_batch_));
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs_[i].fits(outputs[i], batch)) {
        refuse(outputs_[i], outputs[i], "output", batch);
      }
      output_pointers_[i] = outputs[i].bytes();
    }
    return batch;
  }

  graph::Model model_;
  std::string_view backend_;
  std::string reason_;
  std::unique_ptr<Program> program_;
  int64_t max_batch_;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
  std::vector<const std::byte*> input_pointers_;
  std::vector<std::byte*> output_pointers_;
};

bool always() {
  return true;
}

std::string no_version() {
  return "";
}

constexpr Backend kBackends[] = {
    {"onednn", &onednn::compile, &onednn::load_library, &onednn::library_version},
    {"xnnpack", &xnnpack::compile, &always, &xnnpack::library_version},
    {"reference", &reference::compile, &always, &no_version}};

void check_options(const EngineOptions& options) {
  const std::vector<std::string> names = backend_choices();
  if (std::find(names.begin(), names.end(), options.backend) == names.end()) {
    throw Error(ErrorKind::NotFound,
                fmt::format("unknown backend '{}'{}; there are {}",
                            options.backend,
                            core::did_you_mean(options.backend, names),
                            fmt::join(names, ", ")));
  }
  if (options.threads < 1 || options.max_batch < 1 || options.memory_mb < 1) {
    throw Error(ErrorKind::InvalidArgument,
                fmt::format("an engine needs threads, max_batch and memory_mb of at least 1, not "
                            "{}, {} and {}",
                            options.threads,
                            options.max_batch,
                            options.memory_mb));
  }
}

Compiled compile_named(const graph::Model& model, const EngineOptions& options) {
  const auto* backend =
      std::find_if(std::begin(kBackends), std::end(kBackends), [&](const Backend& candidate) {
        return candidate.name == options.backend;
      });
  COPPICE_CHECK(backend != std::end(kBackends), "options are checked before");
  if (!backend->is_installed()) {
    throw Error(ErrorKind::NotFound,
                fmt::format("the library of backend '{}' is not installed here; there are {}",
                            backend->name,
                            fmt::join(backends(), ", ")));
  }
  return {backend->compile(model, options), backend->name, "asked for"};
}

Compiled compile_first(const graph::Model& model, const EngineOptions& options) {
  std::string reason;
  for (const Backend& backend : kBackends) {
    if (!backend.is_installed()) {
      reason += fmt::format("{} is not installed; ", backend.name);
      continue;
    }
    try {
      auto program = backend.compile(model, options);
      return {std::move(program), backend.name, reason + "the first that takes the model"};
    } catch (const Error& error) {
      const bool last = &backend == std::end(kBackends) - 1;
      if (last || error.kind() != ErrorKind::Unsupported) {
        throw;
      }
      reason += fmt::format("{} does not take it ({}); ", backend.name, error.what());
    }
  }
  COPPICE_CHECK(false, "the last backend either builds or throws");
  return {};
}

}  // namespace

std::span<const Backend> all_backends() {
  return kBackends;
}

void EngineOptions::visit(core::Fields& f) {
  f.field("backend",
          backend,
          {.help = "what runs the model; first: the first of onednn, xnnpack, reference that takes "
                   "it; auto: the fastest on this device, measured once",
           .choices = backend_choices()});
  f.field("threads", threads, {.help = "threads of one run", .min = 1, .max = 256});
  f.field("max_batch",
          max_batch,
          {.help = "largest batch of one run", .unit = "samples", .min = 1, .max = 65536});
  f.field("cache",
          cache,
          {.help = "file that keeps what backend auto chose; empty: "
                   "$XDG_CACHE_HOME/coppice/engine.json; none: no file"});
  f.field("memory_mb",
          memory_mb,
          {.help = "a model whose activations take more is refused",
           .unit = "MB",
           .min = 1,
           .max = 1e6});
}

std::unique_ptr<Engine> build_engine(const graph::Model& model, const EngineOptions& options) {
  check_options(options);
  graph::verify(model);
  graph::Model prepared = graph::run_passes(model, graph::inference_passes());
  require_memory(prepared, options);
  Compiled compiled = options.backend == "auto"    ? compile_fastest(prepared, options)
                      : options.backend == "first" ? compile_first(prepared, options)
                                                   : compile_named(prepared, options);
  return std::make_unique<CheckedEngine>(
      std::move(prepared), std::move(compiled), options.max_batch);
}

std::vector<std::string> backend_choices() {
  std::vector<std::string> names{"first", "auto"};
  for (const Backend& backend : all_backends()) {
    names.emplace_back(backend.name);
  }
  return names;
}

std::vector<std::string> backends() {
  std::vector<std::string> names;
  for (const Backend& backend : all_backends()) {
    if (backend.is_installed()) {
      names.emplace_back(backend.name);
    }
  }
  return names;
}

}  // namespace coppice::runtime
