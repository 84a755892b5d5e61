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

}  // namespace

std::shared_ptr<const Transform> make_flip() {
  return std::make_shared<Flip>();
}

}  // namespace coppice::data
