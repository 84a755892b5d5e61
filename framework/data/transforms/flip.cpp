#include <algorithm>

#include "data/transforms/all.h"
#include "data/transforms/image.h"

namespace coppice::data {

namespace {

class Flip final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double /*strength*/,
             core::Rng& /*rng*/) const override {
    change_image(sample, schema, [](auto image) {
      auto* row = image.pixels;
      for (int64_t y = 0; y < image.channels * image.height; ++y, row += image.width) {
        std::reverse(row, row + image.width);
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }
};

class FlipVertical final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double /*strength*/,
             core::Rng& /*rng*/) const override {
    change_image(sample, schema, [](auto image) {
      for (int64_t c = 0; c < image.channels; ++c) {
        auto* top = image.plane(c);
        auto* bottom = top + (image.height - 1) * image.width;
        for (; top < bottom; top += image.width, bottom -= image.width) {
          std::swap_ranges(top, top + image.width, bottom);
        }
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_flip() {
  return std::make_shared<Flip>();
}

std::shared_ptr<const Transform> make_flip_vertical() {
  return std::make_shared<FlipVertical>();
}

}  // namespace coppice::data
