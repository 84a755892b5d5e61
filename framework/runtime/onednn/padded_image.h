#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace coppice::runtime::onednn {

/// Copies channels-last images into frames of zeros, so that a kernel needs no edges. With `flip`,
/// i8 values lie there as u8, each 128 more than it was.
struct PaddedImage {
  static constexpr int64_t kSlack = 64;  ///< bytes that may be read behind the last row

  int64_t height = 0;
  int64_t width = 0;
  int64_t pixel_bytes = 0;
  std::array<int64_t, 4> pads{};  ///< top, left, bottom, right
  bool flip = false;

  int64_t row_bytes() const { return (pads[1] + width + pads[3]) * pixel_bytes; }

  int64_t image_bytes() const { return height * width * pixel_bytes; }  ///< without the frame

  int64_t bytes() const { return (pads[0] + height + pads[2]) * row_bytes() + kSlack; }

  void fill(const std::byte* image, std::byte* frame) const;
};

}  // namespace coppice::runtime::onednn
