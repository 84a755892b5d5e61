#include "data/transforms/all.h"
#include "data/transforms/gaussian.h"
#include "data/transforms/image.h"

namespace coppice::data {

namespace {

class Noise final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const override {
    if (strength == 0) {
      return;
    }
    const Ziggurat& normal = Ziggurat::instance();
    change_image(sample, schema, [&](auto image) {
      using T = std::remove_pointer_t<decltype(image.pixels)>;
      const double sigma = strength * static_cast<double>(kRange<T>);
      for (int64_t i = 0; i < image.size(); ++i) {
        const auto added = static_cast<float>(sigma * normal.draw(rng));
        image.pixels[i] = to_pixel<T>(static_cast<float>(image.pixels[i]) + added);
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 1, .neutral = 0}; }

  bool fits(const Schema& /*schema*/) const override { return true; }
};

}  // namespace

std::shared_ptr<const Transform> make_noise() {
  return std::make_shared<Noise>();
}

}  // namespace coppice::data
