#pragma once

#include <optional>
#include <string>

#include "graph/graph.h"
#include "runtime/model_index.h"

namespace coppice::runtime {

/// A chain of element-wise ops over an 8-bit value, computed for each of its 256 values by the
/// reference kernels. Row c, column v (the byte read as unsigned) holds the result.
struct ByteTable {
  std::string source;   ///< the 8-bit value
  graph::Tensor table;  ///< u8, i8 or f32 [1 or channels, 256]
  bool identity = false;
};

/// The chain that ends at `last`, from the nearest 8-bit value above, or nullopt. What it passes
/// may have other readers: it is computed again for them.
std::optional<ByteTable> match_byte_table(ModelIndex& index, const graph::Node& last);

}  // namespace coppice::runtime
