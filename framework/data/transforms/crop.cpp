#include <cmath>

#include "data/transforms/all.h"
#include "data/transforms/move.h"

namespace coppice::data {

namespace {

/// A window of the image's size cut anywhere from the image padded with zeros on all sides (He et
/// al., "Deep residual learning for image recognition", 2016, section 4.2).
class Crop final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    const int64_t padding = std::llround(strength);
    const int64_t right = rng.below(2 * padding + 1) - padding;
    const int64_t down = rng.below(2 * padding + 1) - padding;
    move_image(sample, schema, right, down);
  }

  StrengthRange range() const override { return {.min = 0, .max = 64, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_crop() {
  return std::make_shared<Crop>();
}

}  // namespace coppice::data
