#include "link/payload.h"

#include <new>

#include <fmt/format.h>
#include <zstd.h>

#include "core/error.h"

namespace coppice::link {

namespace {

constexpr int kLevel = 3;  // zstd's own default: a device's processor is the scarce thing

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }

  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

struct PayloadCompressor::Context {
  std::unique_ptr<ZSTD_CCtx, Free> zstd{ZSTD_createCCtx()};
};

struct PayloadDecompressor::Context {
  std::unique_ptr<ZSTD_DCtx, Free> zstd{ZSTD_createDCtx()};
};

PayloadCompressor::PayloadCompressor() : context_(std::make_unique<Context>()) {
  if (!context_->zstd) {
    throw std::bad_alloc();
  }
}

PayloadCompressor::~PayloadCompressor() = default;

std::string PayloadCompressor::compress(std::span<const std::byte> payload) {
  if (payload.empty()) {
    return {};
  }
  std::string frame(ZSTD_compressBound(payload.size()), '\0');
  const size_t size = ZSTD_compressCCtx(
      context_->zstd.get(), frame.data(), frame.size(), payload.data(), payload.size(), kLevel);
  COPPICE_CHECK(ZSTD_isError(size) == 0, "a frame of the bound's size holds any payload");
  frame.resize(size);
  return frame;
}

PayloadDecompressor::PayloadDecompressor(size_t payload_limit_bytes, size_t total_limit_bytes)
    : context_(std::make_unique<Context>()),
      payload_limit_bytes_(payload_limit_bytes),
      left_bytes_(total_limit_bytes) {
  if (!context_->zstd) {
    throw std::bad_alloc();
  }
}

PayloadDecompressor::~PayloadDecompressor() = default;

core::Bytes PayloadDecompressor::decompress(std::string_view frame) {
  if (frame.empty()) {
    return {};
  }
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) {
    throw core::Error(
        core::ErrorKind::Corrupt,
        "message: a payload is not one zstd frame that tells its size; send it again");
  }
  if (size > payload_limit_bytes_ || size > left_bytes_) {
    throw core::Error(
        core::ErrorKind::Corrupt,
        fmt::format(
            "message: a payload would decompress to {} bytes, above the limit of {} each; send "
            "smaller samples or batches",
            size,
            payload_limit_bytes_));
  }
  core::Bytes payload(size);
  const size_t written = ZSTD_decompressDCtx(
      context_->zstd.get(), payload.data(), payload.size(), frame.data(), frame.size());
  if (ZSTD_isError(written) != 0 || written != size) {
    throw core::Error(core::ErrorKind::Corrupt,
                      "message: a payload does not decompress; send it again");
  }
  left_bytes_ -= payload.size();
  return payload;
}

}  // namespace coppice::link
