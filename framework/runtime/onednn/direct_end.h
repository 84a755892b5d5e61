#pragma once

#include <algorithm>
#include <limits>

#include "runtime/onednn/stage.h"

namespace coppice::runtime::onednn {

/// What becomes of a layer's scaled sums: clamped, then rounded to bytes or left as floats.
struct DirectEnd {
  graph::DType dtype = graph::DType::F32;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();

  DirectEnd() = default;

  DirectEnd(const Product& product, graph::DType type) : dtype(type) {
    if (dtype != graph::DType::F32) {
      low = dtype == graph::DType::I8 ? -128.0F : 0.0F;
      high = dtype == graph::DType::I8 ? 127.0F : 255.0F;
    }
    if (product.relu) {
      low = 0;
      high = std::min(high, product.ceiling);
    }
  }

  int64_t value_bytes() const { return graph::size_bytes(dtype); }
};

}  // namespace coppice::runtime::onednn
