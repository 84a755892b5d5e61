#include <cmath>

#include "data/transforms/all.h"
#include "data/transforms/image.h"

namespace coppice::data {

namespace {

/// Inverts a vertical stripe in the middle (Mu and Gilmer, "MNIST-C", 2019).
class Stripe final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& /*rng*/) const override {
    change_image(sample, schema, [&](auto image) {
      using T = std::remove_pointer_t<decltype(image.pixels)>;
      const int64_t stripe = std::llround(strength * static_cast<double>(image.width));
      const int64_t left = (image.width - stripe) / 2;
      for (int64_t y = 0; y < image.channels * image.height; ++y) {
        T* row = image.pixels + y * image.width;
        for (int64_t x = left; x < left + stripe; ++x) {
          row[x] = static_cast<T>(static_cast<T>(kRange<T>) - row[x]);
        }
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_stripe() {
  return std::make_shared<Stripe>();
}

}  // namespace coppice::data
