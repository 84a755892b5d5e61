#include <algorithm>
#include <cmath>

#include "data/transforms/all.h"
#include "data/transforms/image.h"

namespace coppice::data {

namespace {

/// DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout"
/// (2017): the centre lies anywhere in the image, so part of the square may lie outside.
class Cutout final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    change_image(sample, schema, [&](auto image) {
      using T = std::remove_pointer_t<decltype(image.pixels)>;
      const auto shorter = static_cast<double>(std::min(image.height, image.width));
      const int64_t side = std::llround(strength * shorter);
      const int64_t y = rng.below(image.height) - side / 2;
      const int64_t x = rng.below(image.width) - side / 2;
      const int64_t left = std::max(int64_t{0}, x);
      const int64_t right = std::min(image.width, x + side);
      for (int64_t c = 0; c < image.channels; ++c) {
        for (int64_t row = std::max(int64_t{0}, y); row < std::min(image.height, y + side); ++row) {
          T* start = image.plane(c) + row * image.width;
          std::fill(start + left, start + std::max(left, right), T{});
        }
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_cutout() {
  return std::make_shared<Cutout>();
}

}  // namespace coppice::data
