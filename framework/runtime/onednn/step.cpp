#include "runtime/onednn/step.h"

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include "core/error.h"

namespace coppice::runtime::onednn {

PrimitiveStep::PrimitiveStep(std::string node,
                             dnnl::primitive primitive,
                             dnnl::stream stream,
                             std::vector<Argument> arguments)
    : node_(std::move(node)),
      primitive_(std::move(primitive)),
      stream_(std::move(stream)),
      arguments_(std::move(arguments)) {}

void PrimitiveStep::bind(Buffers buffers) {
  const dnnl::engine engine = stream_.get_engine();
  for (const Argument& argument : arguments_) {
    dnnl::memory memory = argument.constant;
    if (!memory) {
      std::byte* data = buffers[argument.buffer];
      memory = dnnl::memory(argument.desc, engine, data == nullptr ? DNNL_MEMORY_NONE : data);
      if (data == nullptr) {
        externals_.push_back({memory.get(), argument.buffer});
      }
    }
    call_.push_back({argument.id, memory.get()});
    memories_.push_back(std::move(memory));
  }
}

void PrimitiveStep::run(Buffers buffers) {
  for (const External& external : externals_) {
    dnnl::dnnl_memory_set_data_handle(external.memory, buffers[external.buffer]);
  }
  const dnnl_status_t status = dnnl::dnnl_primitive_execute(
      primitive_.get(), stream_.get(), static_cast<int>(call_.size()), call_.data());
  if (status != dnnl_success) {
    throw core::Error(
        core::ErrorKind::Internal,
        fmt::format("node '{}': oneDNN failed with status {}", node_, static_cast<int>(status)));
  }
}

std::string PrimitiveStep::work() const {
  const_dnnl_primitive_desc_t description = nullptr;
  dnnl_primitive_kind_t kind = dnnl_undefined_primitive;
  const char* implementation = nullptr;
  if (dnnl::dnnl_primitive_get_primitive_desc(primitive_.get(), &description) != dnnl_success ||
      dnnl::dnnl_primitive_desc_query(description, dnnl_query_primitive_kind, 0, &kind) !=
          dnnl_success ||
      dnnl::dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &implementation) !=
          dnnl_success) {
    return "oneDNN";
  }
  return fmt::format("{} {}", dnnl::dnnl_prim_kind2str(kind), implementation);
}

}  // namespace coppice::runtime::onednn
