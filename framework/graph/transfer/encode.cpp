#include "core/error.h"
#include "graph/transfer.h"
#include "graph/transfer/container.h"
#include "graph/transfer/tensor_code.h"
#include "graph/transfer/text_code.h"

namespace coppice::graph {

namespace {

core::Bytes body_of(std::span<const std::byte> onnx, std::vector<TransferPart>* parts) {
  const std::vector<TensorPlace> places = find_tensors(onnx, kLeastTensorBytes);
  core::Bytes text;
  uint64_t end = 0;
  for (const TensorPlace& place : places) {
    text.insert(text.end(),
                onnx.begin() + static_cast<std::ptrdiff_t>(end),
                onnx.begin() + static_cast<std::ptrdiff_t>(place.offset));
    end = place.offset + place.size;
  }
  text.insert(text.end(), onnx.begin() + static_cast<std::ptrdiff_t>(end), onnx.end());

  RangeEncoder coder;
  NumberCode sizes;
  sizes.code(coder, onnx.size());
  sizes.code(coder, text.size());
  sizes.code(coder, places.size());
  encode_text(coder, text);
  PlaceCode place_code;
  end = 0;
  for (TensorPlace place : places) {
    const auto values = onnx.subspan(place.offset, place.size);
    place_code.code(coder, end, place);
    encode_tensor(coder, place.form, values);
    if (parts != nullptr) {
      RangeEncoder alone;
      encode_tensor(alone, place.form, values);
      parts->push_back({place.name,
                        static_cast<int64_t>(place.size),
                        static_cast<int64_t>(alone.finish().size())});
    }
    end = place.offset + place.size;
  }
  return coder.finish();
}

}  // namespace

core::Bytes to_transfer(std::span<const std::byte> onnx, std::vector<TransferPart>* parts) {
  if (onnx.size() > kLargestOnnx) {
    throw core::Error(core::ErrorKind::Corrupt, "no ONNX model: it holds more than 2 GiB");
  }
  const core::Bytes body = body_of(onnx, parts);
  const auto sum = checksum_of(body);
  core::Bytes coded;
  const auto magic = core::as_bytes(kTransferMagic);
  coded.insert(coded.end(), magic.begin(), magic.end());
  coded.push_back(kTransferVersion);
  coded.insert(coded.end(), sum.begin(), sum.end());
  coded.insert(coded.end(), body.begin(), body.end());
  return coded;
}

}  // namespace coppice::graph
