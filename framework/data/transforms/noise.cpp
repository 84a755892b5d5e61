#include <algorithm>
#include <array>
#include <iterator>

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
      // Drawn apart from the pixels: a byte that is written may alias the generator's state, which
      // would then be stored and loaded for each.
      std::array<float, 256> added;
      for (int64_t start = 0; start < image.size(); start += std::ssize(added)) {
        const auto count = static_cast<size_t>(std::min(std::ssize(added), image.size() - start));
        for (size_t i = 0; i < count; ++i) {
          added[i] = static_cast<float>(sigma * normal.draw(rng));
        }
        T* pixels = image.pixels + start;
        for (size_t i = 0; i < count; ++i) {
          pixels[i] = to_pixel<T>(static_cast<float>(pixels[i]) + added[i]);
        }
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
