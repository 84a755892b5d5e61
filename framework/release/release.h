#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "core/clock.h"
#include "core/files.h"
#include "release/keys.h"
#include "release/manifest.h"

namespace coppice::release {

/// A signed manifest and its artefact.
struct Release {
  core::Bytes manifest;   ///< canonical JSON
  core::Bytes signature;  ///< 64 bytes over the manifest's bytes
  core::Bytes artefact;   ///< ONNX
};

/// Fills artefact_hash and artefact_bytes and signs.
/// Throws Error{InvalidArgument}: a manifest that devices would refuse (see manifest.h), keys of a
/// wrong size.
Release sign(Manifest manifest, core::Bytes artefact, const KeyPair& keys);

/// What a device requires before it runs a release. Returns the manifest.
///
/// Throws Error{Refused}: bad signature, artefact that differs from the manifest, counter not above
/// `installed_counter`, expired at `now` (from `expires_ms` on), a runtime that is too old;
/// Error{Corrupt}: signed, but not a manifest; Error{InvalidArgument}: a public key that is not 32
/// bytes. Messages are constant: nothing of an unverified release is repeated. The signature is
/// checked before anything is parsed.
Manifest verify(const Release& release,
                std::span<const std::byte> public_key,
                uint64_t installed_counter,
                core::Timestamp now);

/// The same for an offer whose artefact has not been fetched yet.
Manifest verify_offer(std::span<const std::byte> manifest,
                      std::span<const std::byte> signature,
                      std::span<const std::byte> public_key,
                      uint64_t installed_counter,
                      core::Timestamp now);

/// A folder with manifest.json, manifest.sig and model.onnx, written atomically as a whole: to a
/// hidden sibling (".<name>.<process>-<n>.tmp"), synced, then renamed. A release that is there
/// already is exchanged for the new one. Throws Error{Refused} when the folder holds anything else,
/// Error{NotFound, Io, Unsupported}; then what was there before is unchanged.
void write_release(const Release& release, const std::filesystem::path& folder);

/// Throws Error{NotFound, Io}; verify afterwards.
Release read_release(const std::filesystem::path& folder);

}  // namespace coppice::release
