#include "data/transforms/all.h"
#include "data/transforms/warp.h"

namespace coppice::data {

namespace {

class Shear final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    const double sign = rng.bernoulli(0.5) ? 1 : -1;
    if (strength == 0) {
      return;
    }
    const LinearMap map = {1, sign * strength, 0, 1};
    change_image(sample, schema, [&](auto image) { warp(image, map); });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_shear() {
  return std::make_shared<Shear>();
}

}  // namespace coppice::data
