#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"

namespace coppice::graph {

/// Bytes that one tensor of a file takes, as stored and as coded.
struct TransferPart {
  std::string tensor;
  int64_t raw_bytes = 0;
  int64_t coded_bytes = 0;
};

/// An ONNX file for transfer: entropy-coded without loss, so that zeros and shared values of a
/// network cost what they tell and no more (the last stage of Deep Compression, Han et al., ICLR
/// 2016, by an adaptive range coder in place of Huffman codes and gaps). transfer/README.md has the
/// format.
///
/// Never more than 64 bytes and a part in a thousand of the tensors larger than `onnx`, and a part
/// in fifty of what else is in it. Deterministic. `parts`: the tensors, in the file's order. Throws
/// Error{Corrupt} for bytes that are no ONNX file.
core::Bytes to_transfer(std::span<const std::byte> onnx,
                        std::vector<TransferPart>* parts = nullptr);

/// The ONNX file, byte for byte. from_onnx and load_onnx call it where they are given a coded file.
///
/// Throws Error{Corrupt} for truncated or altered bytes, before anything is decoded, and
/// Error{Unsupported} for a version that it doesn't know. A file may be hostile: memory is taken as
/// values are decoded, never for what a size in the file says, and never more than 2 GiB.
core::Bytes from_transfer(std::span<const std::byte> coded);

/// Whether they begin as coded files do.
bool is_transfer(std::span<const std::byte> bytes);

}  // namespace coppice::graph
