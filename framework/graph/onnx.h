#pragma once

#include <filesystem>
#include <span>

#include "core/files.h"
#include "graph/graph.h"

namespace coppice::graph {

/// The smallest opset that has a node of its own for every op: 13, 14 for HardSwish, 17 for
/// LayerNorm.
inline constexpr int64_t kSmallestOpset = 0;

/// Plain ONNX; int8 as QuantizeLinear/DequantizeLinear; metadata as properties ("coppice.task",
/// "coppice.classes", …). The batch is a free dimension named "batch". `opset` is 13 to 17: an op
/// that is newer than that is written as several. Deterministic: the same model gives the same
/// bytes. Throws Error{Unsupported} for another opset.
core::Bytes to_onnx(const Model& model, int64_t opset = kSmallestOpset);

/// Plain, or coded for transfer (transfer.h).
/// Throws Error{Corrupt} for bytes that are no ONNX file, Error{Unsupported} naming node, op and
/// the supported set. A file may be hostile: dimensions are checked before anything is allocated,
/// and what is computed from constants stays within 64 MiB and four times the file's size. Messages
/// are one line. Weights outside the bytes are refused.
Model from_onnx(std::span<const std::byte> bytes);

/// Atomic write; read with the file named in errors. Weights may be in files of the same folder, or
/// below it; Error{Refused} for a path that leaves it or follows a symbolic link.
void save_onnx(const Model& model,
               const std::filesystem::path& file,
               int64_t opset = kSmallestOpset);
Model load_onnx(const std::filesystem::path& file);

}  // namespace coppice::graph
