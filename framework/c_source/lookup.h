#pragma once

#include <cstdint>
#include <optional>

#include "c_source/element_loop.h"
#include "graph/tensor.h"

namespace coppice::c_source {

/// Element-wise nodes from one 8-bit value to another as a table, made by the reference kernels.
struct Lookup {
  graph::Tensor table;   ///< [channels, 256], by the input's bits
  int64_t channels = 1;  ///< tables, one for each channel (dimension 1) or one for all
};

/// nullopt where the loop has another form or the tables would be large.
std::optional<Lookup> make_lookup(const ElementLoop& loop, const graph::Node& source);

}  // namespace coppice::c_source
