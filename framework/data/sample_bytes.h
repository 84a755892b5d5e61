#pragma once

#include <cstddef>
#include <string_view>

#include "data/dataset.h"

namespace coppice::data {

/// The bytes of sample i of a batch, as a key of hash tables: no two different samples collide.
inline std::string_view bytes_of_sample(const Batch& batch, const Schema& schema, size_t i) {
  const auto bytes = static_cast<size_t>(schema.sample_bytes());
  return {reinterpret_cast<const char*>(batch.samples.data()) + i * bytes, bytes};
}

}  // namespace coppice::data
