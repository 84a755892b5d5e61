#include <cmath>
#include <numbers>

#include "data/transforms/all.h"
#include "data/transforms/move.h"

namespace coppice::data {

namespace {

class Shift final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    const double angle = rng.uniform(0, 2 * std::numbers::pi);
    const int64_t right = std::llround(strength * std::cos(angle));
    const int64_t down = std::llround(strength * std::sin(angle));
    move_image(sample, schema, right, down);
  }

  StrengthRange range() const override { return {.min = 0, .max = 64, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_shift() {
  return std::make_shared<Shift>();
}

}  // namespace coppice::data
