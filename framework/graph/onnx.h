#pragma once

#include <filesystem>
#include <span>

#include "core/files.h"
#include "graph/graph.h"

namespace coppice::graph {

/// Plain ONNX, opset 13; int8 as QuantizeLinear/DequantizeLinear; metadata as properties
/// ("coppice.task", "coppice.classes", …). The batch is a free dimension named "batch".
/// Deterministic: the same model gives the same bytes.
core::Bytes to_onnx(const Model& model);

/// Throws Error{Corrupt} for bytes that are no ONNX file, Error{Unsupported} naming node, op and
/// the supported set. Nothing larger than the file itself is allocated before its dimensions are
/// checked.
Model from_onnx(std::span<const std::byte> bytes);

/// Atomic write; read with the file named in errors.
void save_onnx(const Model& model, const std::filesystem::path& file);
Model load_onnx(const std::filesystem::path& file);

}  // namespace coppice::graph
