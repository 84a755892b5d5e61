#include <cmath>
#include <numbers>

#include "data/transforms/all.h"
#include "data/transforms/warp.h"

namespace coppice::data {

namespace {

class Rotate final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    const double sign = rng.bernoulli(0.5) ? 1 : -1;
    if (strength == 0) {
      return;
    }
    const double angle = sign * strength * std::numbers::pi / 180;
    const LinearMap map = {std::cos(angle), std::sin(angle), -std::sin(angle), std::cos(angle)};
    change_image(sample, schema, [&](auto image) { warp(image, map); });
  }

  StrengthRange range() const override { return {.min = 0, .max = 180, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_rotate() {
  return std::make_shared<Rotate>();
}

}  // namespace coppice::data
