#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/files.h"

namespace coppice::release {

/// What is signed. Canonical JSON (sorted keys, no blanks), so equal manifests are equal bytes.
struct Manifest {
  std::string name;                          ///< of the model: "fashion-mnist"
  uint64_t counter = 0;                      ///< grows with every release, a rollback included
  std::string artefact_hash;                 ///< SHA-256 of the ONNX bytes
  int64_t artefact_bytes = 0;
  std::string required_runtime = "1";        ///< least runtime format that can run it
  int64_t created_ms = 0;
  int64_t expires_ms = 0;                    ///< 0: never
  std::string parent_hash;                   ///< artefact it replaces; empty for the first
  std::string reason;                        ///< "first", "retrain", "rollback"
  std::map<std::string, double> metrics;

  bool operator==(const Manifest&) const = default;
};

core::Bytes to_json(const Manifest& manifest);
/// Throws Error{Corrupt}.
Manifest manifest_from_json(std::span<const std::byte> bytes);

/// Ed25519 (RFC 8032).
struct KeyPair {
  core::Bytes public_key;                    ///< 32 bytes
  core::Bytes secret_key;                    ///< 64 bytes
};
KeyPair generate_keys();
KeyPair keys_from_seed(std::span<const std::byte> seed);   ///< 32 bytes; for reproducible simulations
/// `<folder>/release.key` (mode 0600) and `release.pub`, base64; made on first use.
KeyPair load_or_create_keys(const std::filesystem::path& folder);
core::Bytes read_public_key(const std::filesystem::path& file);

/// A signed manifest and its artefact.
struct Release {
  core::Bytes manifest;                      ///< canonical JSON
  core::Bytes signature;                     ///< 64 bytes over the manifest's bytes
  core::Bytes artefact;                      ///< ONNX
};

/// Fills artefact_hash and artefact_bytes and signs.
Release sign(Manifest manifest, core::Bytes artefact, const KeyPair& keys);

/// What a device requires before it runs a release. Returns the manifest.
/// Throws Error{Refused}: bad signature, artefact that differs from the manifest, counter not above `installed_counter`, expired at `now`,
/// a runtime that is too old; Error{Corrupt}: not a manifest.
Manifest verify(const Release& release, std::span<const std::byte> public_key, uint64_t installed_counter, core::Timestamp now);
/// The same for an offer whose artefact has not been fetched yet.
Manifest verify_offer(std::span<const std::byte> manifest, std::span<const std::byte> signature,
                      std::span<const std::byte> public_key, uint64_t installed_counter, core::Timestamp now);

/// A folder with manifest.json, manifest.sig and model.onnx, written atomically as a whole.
void write_release(const Release& release, const std::filesystem::path& folder);
/// Throws Error{NotFound, Io}; verify afterwards.
Release read_release(const std::filesystem::path& folder);

}  // namespace coppice::release
