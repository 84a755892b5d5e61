#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/onednn/library.h"

namespace coppice::runtime::onednn {

/// Constants in the layouts that primitives asked for, packed once and shared by the plans of all
/// batch sizes.
class PackedWeights {
 public:
  explicit PackedWeights(dnnl::engine engine) : engine_(std::move(engine)), stream_(engine_) {}

  /// The values at `data` (laid out as `from`) in layout `to`. `key` names the constant; the bytes
  /// must outlive this when no reorder is needed.
  dnnl::memory get(const std::string& key,
                   const void* data,
                   const dnnl::memory::desc& from,
                   const dnnl::memory::desc& to);

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::map<std::string, std::vector<dnnl::memory>> packed_;
};

}  // namespace coppice::runtime::onednn
