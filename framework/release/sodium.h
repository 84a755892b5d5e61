#pragma once

#include <cstddef>
#include <span>

namespace coppice::release {

/// Readies libsodium; cheap after the first call, thread-safe. Throws Error{Io} if the system gives
/// no randomness.
void init_sodium();

inline unsigned char* octets(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

inline const unsigned char* octets(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace coppice::release
