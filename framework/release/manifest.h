#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "core/files.h"

namespace coppice::release {

/// The runtime format of this build: `Manifest::required_runtime` must not be above it.
inline constexpr uint32_t kRuntimeFormat = 1;

/// What is signed. Canonical JSON (sorted keys, no blanks), so equal manifests are equal bytes.
struct Manifest {
  std::string name;           ///< of the model: "fashion-mnist"; not empty
  uint64_t counter = 0;       ///< from 1; grows with every release, a rollback included
  std::string artefact_hash;  ///< SHA-256 of the ONNX bytes
  int64_t artefact_bytes = 0;
  std::string required_runtime = "1";  ///< least runtime format that can run it: a decimal number
  int64_t created_ms = 0;
  int64_t expires_ms = 0;                 ///< 0: never
  std::string parent_hash;                ///< artefact it replaces; empty for the first
  std::string reason;                     ///< "first", "retrain", "rollback"
  std::map<std::string, double> metrics;  ///< finite

  bool operator==(const Manifest&) const = default;
};

/// Throws Error{InvalidArgument} for a field outside the range given above, or text that is not
/// UTF-8.
core::Bytes to_json(const Manifest& manifest);

/// Reads exactly what `to_json` writes. Throws Error{Corrupt}: not JSON, more than 64 KiB, an
/// unknown, missing or repeated key, a wrong type, a field out of range, any other spelling of the
/// same manifest.
Manifest manifest_from_json(std::span<const std::byte> bytes);

}  // namespace coppice::release
