#include "runtime/onednn/packed_weights.h"

#include "runtime/onednn/layout.h"

namespace coppice::runtime::onednn {

using dnnl::memory;

memory PackedWeights::get(const std::string& key,
                          const void* data,
                          const memory::desc& from,
                          const memory::desc& to) {
  std::vector<memory>& versions = packed_[key];
  for (const memory& version : versions) {
    if (version.get_desc() == to) {
      return version;
    }
  }
  memory source(
      from, engine_, const_cast<void*>(data));  // NOLINT: primitives read their weights only
  if (same_layout(from, to)) {
    versions.push_back(source);
    return source;
  }
  memory result(to, engine_);
  dnnl::reorder(source, result).execute(stream_, source, result);
  stream_.wait();
  versions.push_back(result);
  return result;
}

}  // namespace coppice::runtime::onednn
