#pragma once

#include "graph/tensor.h"
#include "runtime/onednn/library.h"

namespace coppice::runtime::onednn {

/// REQUIRES: not i64.
dnnl::memory::data_type to_dnnl(graph::DType dtype);

/// Row-major.
dnnl::memory::desc plain(const dnnl::memory::dims& dims, graph::DType dtype);

/// [n, h, w, c] in memory for 4 dimensions (what oneDNN's 8-bit and most of its f32 kernels
/// prefer), row-major for others.
dnnl::memory::desc channels_last(const dnnl::memory::dims& dims, graph::DType dtype);

/// Whether the same bytes mean the same values under both.
bool same_layout(const dnnl::memory::desc& a, const dnnl::memory::desc& b);

}  // namespace coppice::runtime::onednn
