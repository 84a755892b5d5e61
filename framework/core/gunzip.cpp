#include <algorithm>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>

#include "core/error.h"
#include "core/files.h"

namespace coppice::core {

namespace {

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

bool starts_member(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

[[noreturn]] void fail(std::string_view what, std::string_view reason) {
  throw Error(ErrorKind::Corrupt, fmt::format("{}: {}; get the file anew", what, reason));
}

}  // namespace

Bytes gunzip(std::span<const std::byte> compressed, std::string_view what) {
  if (!starts_member(compressed)) {
    fail(what, "not gzip data");
  }
  z_stream stream = {};
  constexpr int kGzipOnly = 15 + 16;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
    throw Error(ErrorKind::Internal, fmt::format("{}: zlib does not start", what));
  }
  const std::unique_ptr<z_stream, InflateEnd> guard(&stream);
  Bytes result;
  Bytes buffer(size_t{256} << 10U);
  constexpr size_t kMaxPiece = std::numeric_limits<uInt>::max();
  std::span<const std::byte> rest = compressed;
  while (true) {
    const size_t piece = std::min(rest.size(), kMaxPiece);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest.data()));
    stream.avail_in = static_cast<uInt>(piece);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    const size_t produced = buffer.size() - stream.avail_out;
    result.insert(
        result.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(produced));
    rest = rest.subspan(piece - stream.avail_in);
    if (status == Z_STREAM_END) {
      if (rest.empty()) {
        return result;
      }
      if (!starts_member(rest)) {
        fail(what, fmt::format("{} bytes of garbage behind the gzip data", rest.size()));
      }
      inflateReset(&stream);
    } else if (status == Z_BUF_ERROR || (status == Z_OK && rest.empty() && produced == 0)) {
      fail(what, "truncated gzip data");
    } else if (status != Z_OK) {
      fail(what,
           fmt::format("altered gzip data ({})", stream.msg != nullptr ? stream.msg : "checksum"));
    }
  }
}

}  // namespace coppice::core
