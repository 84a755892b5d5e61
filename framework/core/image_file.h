#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace coppice::core {

/// What an image file shows.
struct ImageFile {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  ///< [channels, height, width]
};

/// A PNG or JPEG file as 1 (grey) or 3 (RGB) channels, whatever it holds. Throws Error{NotFound,
/// Corrupt, Unsupported}.
ImageFile read_image(const std::filesystem::path& file, int64_t channels);

/// Whether it ends as PNG and JPEG files do, in either case.
bool is_image_name(const std::filesystem::path& file);

}  // namespace coppice::core
