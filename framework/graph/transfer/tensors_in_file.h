#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/transfer/tensor_code.h"

namespace coppice::graph {

/// Where the values of a tensor lie in an ONNX file.
struct TensorPlace {
  std::string name = {};
  uint64_t offset = 0;
  uint64_t size = 0;
  TensorForm form = {};
};

/// Tensors with at least `least_bytes` of values, by place: initialisers and constants of nodes.
/// Reads protobuf's wire format alone, so that the file's bytes can be put together again as they
/// were. Throws Error{Corrupt} for bytes that are no protobuf.
std::vector<TensorPlace> find_tensors(std::span<const std::byte> onnx, uint64_t least_bytes);

}  // namespace coppice::graph
