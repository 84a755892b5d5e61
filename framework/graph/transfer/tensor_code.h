#pragma once

#include <cstdint>
#include <span>

#include "core/files.h"
#include "graph/transfer/range_coder.h"

namespace coppice::graph {

/// What is known of a tensor beside its values.
struct TensorForm {
  size_t width = 4;   ///< bytes of an element: 1, 2, 4 or 8
  uint64_t rows = 1;  ///< its first dimension, if it has others
};

/// Values as they are; as zero flags and bytes; or as zero flags and places in a table of the few
/// values that there are (a codebook). The smallest form is taken.
///
/// REQUIRES: the size of `values` is a multiple of width x rows.
void encode_tensor(RangeEncoder& coder, const TensorForm& form, std::span<const std::byte> values);

/// Appends `size` bytes to `out`. Throws Error{Corrupt}.
void decode_tensor(RangeDecoder& coder, const TensorForm& form, uint64_t size, core::Bytes& out);

}  // namespace coppice::graph
