#include <algorithm>

#include "core/error.h"
#include "graph/transfer.h"
#include "graph/transfer/container.h"
#include "graph/transfer/tensor_code.h"
#include "graph/transfer/text_code.h"

namespace coppice::graph {

namespace {

/// What a byte can decode to: a bit costs at least 1/178 of a bit (BitModel::kLeast), and tells of
/// 8 bytes at most.
constexpr uint64_t kMostPerByte = 178 * 8 * 8;

core::Bytes decode_body(std::span<const std::byte> body) {
  RangeDecoder coder(body);
  NumberCode sizes;
  const uint64_t total = sizes.code(coder, 0);
  const uint64_t text_size = sizes.code(coder, 0);
  const uint64_t tensors = sizes.code(coder, 0);
  const uint64_t most = std::min(kMostPerByte * body.size(), kLargestOnnx);
  if (total > most || text_size > total || tensors > total / kLeastTensorBytes) {
    refuse_coded("that says it is larger than its bytes can tell, or than an ONNX file");
  }
  const core::Bytes text = decode_text(coder, text_size);
  core::Bytes out;
  uint64_t text_used = 0;
  const auto take_text = [&](uint64_t count) {
    if (count > text.size() - text_used) {
      refuse_coded("with a tensor beyond its end");
    }
    const auto from = text.begin() + static_cast<std::ptrdiff_t>(text_used);
    out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(count));
    text_used += count;
  };
  PlaceCode place_code;
  for (uint64_t i = 0; i < tensors; ++i) {
    TensorPlace place{.offset = out.size()};
    place_code.code(coder, out.size(), place);
    take_text(place.offset - out.size());
    if (place.size > total - out.size()) {
      refuse_coded("with a tensor beyond its end");
    }
    decode_tensor(coder, place.form, place.size, out);
  }
  take_text(text.size() - text_used);
  if (out.size() != total || !coder.at_end()) {
    refuse_coded("whose parts do not add up");
  }
  return out;
}

}  // namespace

bool is_transfer(std::span<const std::byte> bytes) {
  return bytes.size() >= kTransferMagic.size() &&
         core::as_text(bytes.first(kTransferMagic.size())) == kTransferMagic;
}

core::Bytes from_transfer(std::span<const std::byte> coded) {
  if (!is_transfer(coded) || coded.size() < kHeaderBytes) {
    refuse_coded("begins with other bytes, or is truncated");
  }
  if (coded[kTransferMagic.size()] != kTransferVersion) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "a model coded by a newer version of Coppice; update it");
  }
  const auto body = coded.subspan(kHeaderBytes);
  const auto sum = checksum_of(body);
  if (!std::equal(sum.begin(), sum.end(), coded.begin() + kTransferMagic.size() + 1)) {
    refuse_coded("is truncated or altered: its checksum is wrong");
  }
  return decode_body(body);
}

}  // namespace coppice::graph
