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

/// Throws Error{Corrupt} for bytes that are no ONNX file, Error{Unsupported} naming node, op and
/// the supported set. Nothing larger than the file itself is allocated before its dimensions are
/// checked.
Model from_onnx(std::span<const std::byte> bytes);

/// Atomic write; read with the file named in errors.
void save_onnx(const Model& model,
               const std::filesystem::path& file,
               int64_t opset = kSmallestOpset);
Model load_onnx(const std::filesystem::path& file);

}  // namespace coppice::graph
