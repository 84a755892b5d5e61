#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/files.h"

namespace coppice::link {

/// Payloads to zstd frames and back, with working memory that is kept between them. Not
/// thread-safe. An empty payload is an empty frame.
class PayloadCompressor {
 public:
  PayloadCompressor();
  ~PayloadCompressor();
  std::string compress(std::span<const std::byte> payload);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

class PayloadDecompressor {
 public:
  /// Of one payload, and of all together, at most.
  PayloadDecompressor(size_t payload_limit_bytes, size_t total_limit_bytes);
  ~PayloadDecompressor();

  /// Throws Error{Corrupt}: not one whole frame that tells its size, or a size above a limit.
  /// Memory is taken only after the size has been checked.
  core::Bytes decompress(std::string_view frame);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  size_t payload_limit_bytes_;
  size_t left_bytes_;
};

}  // namespace coppice::link
