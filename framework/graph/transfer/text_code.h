#pragma once

#include <cstdint>
#include <span>

#include "core/files.h"
#include "graph/transfer/range_coder.h"

namespace coppice::graph {

/// Bytes of a graph's description: names repeat, so each byte is first guessed from where its last
/// bytes were seen before (prediction by partial matching of one context: LZP, Bloom, DCC 1996).
/// Both sides begin with the words of a usual ONNX file in memory.
void encode_text(RangeEncoder& coder, std::span<const std::byte> text);

/// `size` bytes. Throws Error{Corrupt}.
core::Bytes decode_text(RangeDecoder& coder, uint64_t size);

}  // namespace coppice::graph
