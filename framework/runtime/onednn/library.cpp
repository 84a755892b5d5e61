#include "runtime/onednn/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace dnnl {

#define COPPICE_DNNL_DEFINE(name) decltype(&::name) name = nullptr;
COPPICE_DNNL_FUNCTIONS(COPPICE_DNNL_DEFINE)
#undef COPPICE_DNNL_DEFINE

}  // namespace dnnl

namespace coppice::runtime::onednn {

int (*omp_get_max_threads)() = nullptr;
void (*omp_set_num_threads)(int) = nullptr;

namespace {

template <class Function>
bool look_up(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  return function != nullptr;
}

/// By the name that changes with the ABI, from where the loader finds libraries. It stays loaded:
/// its threads and its caches outlive any engine.
bool load() {
  const std::string name = fmt::format("libdnnl.so.{}", DNNL_VERSION_MAJOR);
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return false;
  }
  bool complete = look_up(handle, "omp_get_max_threads", omp_get_max_threads) &&
                  look_up(handle, "omp_set_num_threads", omp_set_num_threads);
#define COPPICE_DNNL_LOOK_UP(name) complete = complete && look_up(handle, #name, dnnl::name);
  COPPICE_DNNL_FUNCTIONS(COPPICE_DNNL_LOOK_UP)
#undef COPPICE_DNNL_LOOK_UP
  return complete;
}

}  // namespace

bool load_library() {
  static const bool loaded = load();
  return loaded;
}

std::string library_version() {
  const dnnl_version_t* version = dnnl::dnnl_version();
  return fmt::format(
      "{}.{}.{} ({})", version->major, version->minor, version->patch, version->hash);
}

}  // namespace coppice::runtime::onednn
