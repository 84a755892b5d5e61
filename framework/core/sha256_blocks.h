#pragma once

#include <cstddef>
#include <cstdint>

namespace coppice::core {

/// Whether this processor has instructions for SHA-256: x86's SHA extensions or ARMv8's.
bool has_sha256_instructions();

/// Takes `count` blocks of 64 bytes into the eight words of a SHA-256 (FIPS 180-4, 6.2.2).
/// REQUIRES: has_sha256_instructions().
void sha256_blocks(uint32_t* words, const std::byte* blocks, size_t count);

}  // namespace coppice::core
