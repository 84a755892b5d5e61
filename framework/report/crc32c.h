#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace coppice::report {

/// CRC-32C (Castagnoli, RFC 3720): reflected polynomial 0x82f63b78.
uint32_t crc32c(std::span<const std::byte> bytes);

/// As a TFRecord stores it: rotated and offset, so that a checksum of data that holds checksums is
/// no trivial one.
uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace coppice::report
