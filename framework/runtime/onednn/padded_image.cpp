#include "runtime/onednn/padded_image.h"

#include <cstring>

namespace coppice::runtime::onednn {

void PaddedImage::fill(const std::byte* image, std::byte* frame) const {
  constexpr std::byte kSign{0x80};
  const int zero = flip ? static_cast<int>(kSign) : 0;
  const auto clear = [&](int64_t count) {
    std::memset(frame, zero, static_cast<size_t>(count));
    frame += count;
  };
  const int64_t row = width * pixel_bytes;
  clear(pads[0] * row_bytes());
  for (int64_t y = 0; y < height; ++y, image += row) {
    clear(pads[1] * pixel_bytes);
    if (flip) {
      for (int64_t i = 0; i < row; ++i) {
        frame[i] = image[i] ^ kSign;
      }
    } else {
      std::memcpy(frame, image, static_cast<size_t>(row));
    }
    frame += row;
    clear(pads[3] * pixel_bytes);
  }
  clear(pads[2] * row_bytes() + kSlack);
}

}  // namespace coppice::runtime::onednn
