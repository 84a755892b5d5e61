#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace coppice::core {

/// SHA-256 (FIPS 180-4), as 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view text);

/// Of a file's bytes, read in pieces. Throws Error{NotFound, Io}.
std::string sha256_file(const std::filesystem::path& file);

/// SHA-256 of what is fed in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  std::string finish();  ///< hexadecimal; REQUIRES: called once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string to_hex(std::span<const std::byte> bytes);

}  // namespace coppice::core
