#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"

namespace coppice::train {

/// A dataset of an HDF5 file.
struct Hdf5Array {
  enum class Type { Byte, F32, F64 };
  Type type = Type::Byte;
  std::vector<int64_t> shape;
  core::Bytes bytes;
};

/// What a small HDF5 file holds: datasets by path ("optimizer/momentum/conv1.weight"; groups are
/// made as needed) and text attributes of the root.
struct Hdf5Content {
  std::map<std::string, Hdf5Array> arrays;
  std::map<std::string, std::string> attributes;
};

/// The bytes of such a file, made in memory so that the caller can write them atomically.
core::Bytes to_hdf5(const Hdf5Content& content);

/// Throws Error{Corrupt} for bytes that are no such file; `what` names them in the message.
Hdf5Content from_hdf5(std::span<const std::byte> bytes, const std::string& what);

}  // namespace coppice::train
