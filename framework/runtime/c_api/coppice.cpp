#include "runtime/c_api/coppice.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/onnx.h"
#include "runtime/engine.h"

namespace {

using coppice::core::Error;
using coppice::core::ErrorKind;
using coppice::graph::DType;
using coppice::graph::Tensor;

/// Fixed, so that even running out of memory can be told.
thread_local char last_error[1024] = "";

coppice_status fail_with(coppice_status status, const char* message) noexcept {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return status;
}

coppice_status status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidArgument:
    case ErrorKind::Config:
    case ErrorKind::Numeric:
      return COPPICE_INVALID_ARGUMENT;
    case ErrorKind::NotFound:
      return COPPICE_NOT_FOUND;
    case ErrorKind::Io:
    case ErrorKind::Interrupted:
      return COPPICE_IO;
    case ErrorKind::Corrupt:
      return COPPICE_CORRUPT;
    case ErrorKind::Refused:
    case ErrorKind::Unsupported:
      return COPPICE_UNSUPPORTED;
    case ErrorKind::Internal:
      break;
  }
  return COPPICE_INTERNAL;
}

/// No exception crosses the border.
template <class Body>
coppice_status guarded(Body&& body) noexcept {
  try {
    body();
    return COPPICE_OK;
  } catch (const Error& error) {
    return fail_with(status_of(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return fail_with(COPPICE_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail_with(COPPICE_INTERNAL, error.what());
  } catch (...) {
    return fail_with(COPPICE_INTERNAL, "an exception that is none of the standard library's");
  }
}

[[noreturn]] void refuse_call(const std::string& message) {
  throw Error(ErrorKind::InvalidArgument, message);
}

coppice_dtype dtype_of(DType dtype) {
  switch (dtype) {
    case DType::F32:
      return COPPICE_F32;
    case DType::U8:
      return COPPICE_U8;
    case DType::I8:
      return COPPICE_I8;
    case DType::I32:
      return COPPICE_I32;
    case DType::I64:
      break;
  }
  return COPPICE_I64;
}

/// The inputs or the outputs of an engine: as they are told, and as they were passed last.
class Ports {
 public:
  void add(const coppice::graph::Node& node) {
    auto port = std::make_unique<Port>();
    port->dtype = node.dtype;
    port->name = node.name;
    port->shape = node.shape;
    coppice::graph::Shape sample = node.shape;
    sample.at(0) = 1;
    port->told = {port->name.c_str(),
                  dtype_of(node.dtype),
                  port->shape.size(),
                  port->shape.data(),
                  static_cast<size_t>(coppice::graph::element_count(sample) *
                                      coppice::graph::size_bytes(node.dtype))};
    told_.push_back(&port->told);
    ports_.push_back(std::move(port));
    tensors_.emplace_back();
  }

  size_t size() const { return ports_.size(); }

  const coppice_port* const* told() const { return told_.data(); }

  std::span<Tensor> tensors() { return tensors_; }

  void check(const char* role, size_t i, const void* data, size_t bytes, size_t batch) const {
    const coppice_port& port = ports_[i]->told;
    if (data == nullptr || bytes / batch != port.sample_bytes || bytes % batch != 0) {
      refuse_call(fmt::format("{} '{}' has {} bytes{}, a batch of {} takes {} each",
                              role,
                              port.name,
                              bytes,
                              data == nullptr ? " at NULL" : "",
                              batch,
                              port.sample_bytes));
    }
  }

  /// Makes the tensor anew only where it is another one than in the last call.
  void point_at(size_t i, std::byte* data, size_t batch) {
    const Tensor& now = tensors_[i];
    const auto rows = static_cast<int64_t>(batch);
    if (now.bytes() != data || now.shape().empty() || now.shape()[0] != rows) {
      coppice::graph::Shape shape = ports_[i]->shape;
      shape[0] = rows;
      // Shares no ownership: the memory is the caller's.
      tensors_[i] = Tensor(ports_[i]->dtype,
                           std::move(shape),
                           std::shared_ptr<std::byte>(std::shared_ptr<void>(), data));
    }
  }

 private:
  struct Port {
    coppice_port told{};
    DType dtype = DType::F32;
    std::string name;
    coppice::graph::Shape shape;
  };

  std::vector<std::unique_ptr<Port>> ports_;  ///< at a fixed place: callers hold pointers
  std::vector<const coppice_port*> told_;
  std::vector<Tensor> tensors_;
};

}  // namespace

struct coppice_engine {
  std::unique_ptr<coppice::runtime::Engine> engine;
  std::string backend;
  Ports inputs;
  Ports outputs;
  std::vector<const char*> class_names;
  coppice_description description{};
};

namespace {

coppice::runtime::EngineOptions options_of(const coppice_options* given) {
  coppice::runtime::EngineOptions options{.backend = "auto"};
  if (given == nullptr) {
    return options;
  }
  if (given->struct_bytes < sizeof(coppice_options)) {
    refuse_call("coppice_options has no size: start from COPPICE_OPTIONS_INIT");
  }
  constexpr size_t kMost = 65536;
  if (given->threads > kMost || given->max_batch > kMost) {
    refuse_call(fmt::format("threads and max_batch are at most {}", kMost));
  }
  if (given->backend != nullptr) {
    options.backend = given->backend;
  }
  options.threads = static_cast<int64_t>(given->threads);
  options.max_batch = static_cast<int64_t>(given->max_batch);
  return options;
}

std::unique_ptr<coppice_engine> make_engine(const coppice::graph::Model& model,
                                            const coppice_options* given) {
  const auto options = options_of(given);
  auto made = std::make_unique<coppice_engine>();
  made->engine = coppice::runtime::build_engine(model, options);
  made->backend = made->engine->backend();
  const coppice::graph::Model& built = made->engine->model();
  for (const coppice::graph::Node* node : built.graph.inputs()) {
    made->inputs.add(*node);
  }
  for (const std::string& name : built.graph.outputs) {
    made->outputs.add(built.graph.at(name));
  }
  for (const std::string& name : built.metadata.class_names) {
    made->class_names.push_back(name.c_str());
  }
  made->description = {built.metadata.name.c_str(),
                       built.metadata.task.c_str(),
                       made->backend.c_str(),
                       static_cast<size_t>(options.max_batch),
                       static_cast<size_t>(made->engine->arena_bytes()),
                       made->inputs.size(),
                       made->inputs.told(),
                       made->outputs.size(),
                       made->outputs.told(),
                       made->class_names.size(),
                       made->class_names.data()};
  return made;
}

void check_place(coppice_engine** engine) {
  if (engine == nullptr) {
    refuse_call("the engine has to be put somewhere: the last argument is NULL");
  }
  *engine = nullptr;
}

}  // namespace

int coppice_abi_version(void) {
  return COPPICE_ABI_VERSION;
}

const char* coppice_version(void) {
  return COPPICE_VERSION;
}

const char* coppice_status_text(coppice_status status) {
  switch (status) {
    case COPPICE_OK:
      return "ok";
    case COPPICE_INVALID_ARGUMENT:
      return "invalid argument";
    case COPPICE_NOT_FOUND:
      return "not found";
    case COPPICE_IO:
      return "input or output failed";
    case COPPICE_CORRUPT:
      return "corrupt";
    case COPPICE_UNSUPPORTED:
      return "unsupported";
    case COPPICE_OUT_OF_MEMORY:
      return "out of memory";
    case COPPICE_INTERNAL:
      return "internal error";
  }
  return "unknown status";
}

const char* coppice_last_error(void) {
  return last_error;
}

coppice_status coppice_load(const char* file,
                            const coppice_options* options,
                            coppice_engine** engine) {
  return guarded([&] {
    check_place(engine);
    if (file == nullptr) {
      refuse_call("the file's name is NULL");
    }
    *engine = make_engine(coppice::graph::load_onnx(file), options).release();
  });
}

coppice_status coppice_load_memory(const void* bytes,
                                   size_t size,
                                   const coppice_options* options,
                                   coppice_engine** engine) {
  return guarded([&] {
    check_place(engine);
    if (bytes == nullptr) {
      refuse_call("the model's bytes are NULL");
    }
    const std::span file(static_cast<const std::byte*>(bytes), size);
    *engine = make_engine(coppice::graph::from_onnx(file), options).release();
  });
}

void coppice_free(coppice_engine* engine) {
  delete engine;
}

const coppice_description* coppice_describe(const coppice_engine* engine) {
  return engine == nullptr ? nullptr : &engine->description;
}

coppice_status coppice_run(coppice_engine* engine,
                           size_t batch,
                           const coppice_input* inputs,
                           size_t input_count,
                           const coppice_output* outputs,
                           size_t output_count) {
  return guarded([&] {
    if (engine == nullptr) {
      refuse_call("the engine is NULL");
    }
    if (input_count != engine->inputs.size() || output_count != engine->outputs.size() ||
        (inputs == nullptr && input_count > 0) || (outputs == nullptr && output_count > 0)) {
      refuse_call(fmt::format("the model takes {} inputs and {} outputs, not {} and {}",
                              engine->inputs.size(),
                              engine->outputs.size(),
                              inputs == nullptr ? 0 : input_count,
                              outputs == nullptr ? 0 : output_count));
    }
    if (batch < 1 || batch > engine->description.max_batch) {
      refuse_call(fmt::format("batch {} lies outside 1 to {}: load with a larger max_batch",
                              batch,
                              engine->description.max_batch));
    }
    for (size_t i = 0; i < input_count; ++i) {
      engine->inputs.check("input", i, inputs[i].data, inputs[i].bytes, batch);
    }
    for (size_t i = 0; i < output_count; ++i) {
      engine->outputs.check("output", i, outputs[i].data, outputs[i].bytes, batch);
    }
    for (size_t i = 0; i < input_count; ++i) {
      // NOLINTNEXTLINE: an engine only reads its inputs
      auto* data = const_cast<std::byte*>(static_cast<const std::byte*>(inputs[i].data));
      engine->inputs.point_at(i, data, batch);
    }
    for (size_t i = 0; i < output_count; ++i) {
      engine->outputs.point_at(i, static_cast<std::byte*>(outputs[i].data), batch);
    }
    engine->engine->run(engine->inputs.tensors(), engine->outputs.tensors());
  });
}
