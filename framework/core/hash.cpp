#include "core/hash.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file_descriptor.h"
#include "core/files.h"
#include "core/sha256_blocks.h"

namespace coppice::core {

struct Sha256::State {
  crypto_hash_sha256_state sodium{};
  bool finished = false;

  /// libsodium's code is portable. Whole blocks go through the processor's instructions, where
  /// there are some, in a fifth of the time.
  void update(std::span<const std::byte> bytes) {
    constexpr size_t kBlockBytes = sizeof(sodium.buf);
    if (has_sha256_instructions()) {
      const size_t held = (sodium.count / CHAR_BIT) % kBlockBytes;
      const size_t missing = std::min((kBlockBytes - held) % kBlockBytes, bytes.size());
      feed_sodium(bytes.first(missing));
      bytes = bytes.subspan(missing);
      const size_t blocks = bytes.size() / kBlockBytes;
      sha256_blocks(sodium.state, bytes.data(), blocks);
      sodium.count += blocks * kBlockBytes * CHAR_BIT;
      bytes = bytes.subspan(blocks * kBlockBytes);
    }
    feed_sodium(bytes);
  }

  void feed_sodium(std::span<const std::byte> bytes) {
    crypto_hash_sha256_update(
        &sodium, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  crypto_hash_sha256_init(&state_->sodium);
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  COPPICE_CHECK(!state_->finished, "a finished SHA-256 takes no more bytes");
  state_->update(bytes);
}

void Sha256::update(std::string_view text) {
  update(as_bytes(text));
}

std::string Sha256::finish() {
  COPPICE_CHECK(!state_->finished, "a SHA-256 is finished once");
  state_->finished = true;
  std::array<std::byte, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256_final(&state_->sodium, reinterpret_cast<unsigned char*>(digest.data()));
  return to_hex(digest);
}

std::string sha256(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256(std::string_view text) {
  return sha256(as_bytes(text));
}

std::string sha256_file(const std::filesystem::path& file) {
  const FileDescriptor descriptor = open_for_reading(file);
  Sha256 hash;
  std::vector<std::byte> buffer(size_t{1} << 20U);
  while (const size_t count = read_some(descriptor, buffer, file)) {
    hash.update(std::span(buffer).first(count));
  }
  return hash.finish();
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  result.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    result += kDigits[std::to_integer<size_t>(byte) >> 4U];
    result += kDigits[std::to_integer<size_t>(byte) & 15U];
  }
  return result;
}

}  // namespace coppice::core
