#include "data/transforms/all.h"
#include "data/transforms/warp.h"

namespace coppice::data {

namespace {

class Scale final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& /*rng*/) const override {
    if (strength == 1) {
      return;
    }
    const LinearMap map = {1 / strength, 0, 0, 1 / strength};
    change_image(sample, schema, [&](auto image) { warp(image, map); });
  }

  StrengthRange range() const override { return {.min = 0.1, .max = 10, .neutral = 1}; }
};

}  // namespace

std::shared_ptr<const Transform> make_scale() {
  return std::make_shared<Scale>();
}

}  // namespace coppice::data
