#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace coppice::graph {

/// Throws Error{Unsupported} for bytes of 2 GiB or more, and for more parts (nodes, names,
/// attributes, tensors) than any network has: protobuf takes some 300 bytes for each, which the
/// file may spell with two. Bytes that are malformed pass; the parser refuses them.
void check_onnx_file(std::span<const std::byte> bytes);

/// The same of a file's size alone, before it is read.
void check_onnx_size(uintmax_t size_bytes);

/// `text` with control characters as \xNN, and cut where it is longer than a line should be: names
/// in a file may hold anything.
std::string one_line(const std::string& text);

}  // namespace coppice::graph
