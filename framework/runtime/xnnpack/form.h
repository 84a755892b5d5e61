#pragma once

#include <cstdint>

#include "graph/graph.h"

/// The two forms in which a value may lie.
namespace coppice::runtime::xnnpack {

enum class Form {
  Plain,  ///< row-major in the graph's order, as callers and the reference kernels have it
  Native  ///< as XNNPACK wants it: images channels-last, u8 as i8 with 128 taken off
};

/// What a conversion between the forms has to do.
struct Conversion {
  graph::DType dtype = graph::DType::F32;
  int64_t rows = 1;     ///< of a sample, in the source
  int64_t columns = 1;  ///< 1 when nothing is transposed
  bool flips = false;   ///< the sign bit: u8 <-> i8

  bool is_copy() const { return columns == 1 && !flips; }

  /// `samples` matrices [rows, columns] become [columns, rows].
  void run(const std::byte* from, std::byte* to, int64_t samples) const;
};

/// Elements of one sample of a value whose first dimension is the batch.
int64_t sample_size(const graph::Shape& shape);

/// Whether channels-last differs from channels-first.
bool is_transposed(const graph::Shape& shape);

Conversion conversion(const graph::Node& value, Form to);

/// The dimensions [n, c, h, w] as [n, h, w, c]; others as they are.
graph::Shape native_shape(const graph::Shape& shape);

/// What is added to a stored value of this dtype in the native form.
inline int32_t native_offset(graph::DType dtype) {
  return dtype == graph::DType::U8 ? -128 : 0;
}

/// A constant of up to 4 dimensions, channels-last if its operand is an image; padded behind, since
/// XNNPACK reads past the end.
graph::Tensor native_constant(const graph::Tensor& constant, size_t rank);

}  // namespace coppice::runtime::xnnpack
