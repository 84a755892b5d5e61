#pragma once

#include <filesystem>
#include <span>

#include "core/files.h"

namespace coppice::release {

/// Ed25519 (RFC 8032).
struct KeyPair {
  core::Bytes public_key;  ///< 32 bytes
  core::Bytes secret_key;  ///< 64 bytes: seed, then public key
};

KeyPair generate_keys();

/// The same seed gives the same keys, for reproducible simulations. Throws Error{InvalidArgument}
/// unless it has 32 bytes.
KeyPair keys_from_seed(std::span<const std::byte> seed);

/// `<folder>/release.key` (mode 0600) and `release.pub`, base64; made on first use, by one of
/// several processes.
///
/// A missing `release.pub` is made anew from the key; a missing `release.key` beside a
/// `release.pub` is an error, since devices trust the old one. Throws Error{Corrupt}: an altered or
/// truncated file, or two that don't belong together; Error{NotFound}: only the public key is
/// there; Error{Refused}: others may read the key; Error{Io}.
KeyPair load_or_create_keys(const std::filesystem::path& folder);

/// 32 bytes. Throws Error{NotFound, Io, Corrupt}.
core::Bytes read_public_key(const std::filesystem::path& file);

}  // namespace coppice::release
