#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/rng.h"

namespace coppice::testing {

/// Square grey images of one class each, as IDX files hold them.
struct Images {
  int64_t side = 0;
  core::Bytes pixels;
  core::Bytes labels;
};

/// Images of at most four classes that anyone can tell apart: which quarter is bright, under noise.
/// Classes take turns.
inline Images quarters(int64_t count, int64_t side, int64_t classes, uint64_t seed) {
  core::Rng rng(seed);
  Images images{side, {}, {}};
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = i % classes;
    images.labels.push_back(static_cast<std::byte>(label));
    for (int64_t y = 0; y < side; ++y) {
      for (int64_t x = 0; x < side; ++x) {
        const bool bright = (2 * y / side) * 2 + 2 * x / side == label;
        images.pixels.push_back(static_cast<std::byte>(rng.below(90) + (bright ? 120 : 0)));
      }
    }
  }
  return images;
}

inline void put_big_endian(core::Bytes& bytes, int64_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes.push_back(static_cast<std::byte>(static_cast<uint64_t>(value) >> shift));
  }
}

inline core::Bytes image_idx(const Images& images) {
  core::Bytes bytes;
  for (const int64_t value :
       {int64_t{0x803}, static_cast<int64_t>(images.labels.size()), images.side, images.side}) {
    put_big_endian(bytes, value);
  }
  bytes.insert(bytes.end(), images.pixels.begin(), images.pixels.end());
  return bytes;
}

inline core::Bytes label_idx(const Images& images) {
  core::Bytes bytes;
  put_big_endian(bytes, 0x801);
  put_big_endian(bytes, static_cast<int64_t>(images.labels.size()));
  bytes.insert(bytes.end(), images.labels.begin(), images.labels.end());
  return bytes;
}

/// Writes `<folder>/<stem>-images` and `<folder>/<stem>-labels`.
inline void write_idx(const std::filesystem::path& folder,
                      const std::string& stem,
                      const Images& images) {
  core::write_file(folder / (stem + "-images"), image_idx(images));
  core::write_file(folder / (stem + "-labels"), label_idx(images));
}

}  // namespace coppice::testing
