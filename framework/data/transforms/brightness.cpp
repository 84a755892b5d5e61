#include "data/transforms/all.h"
#include "data/transforms/image.h"

namespace coppice::data {

namespace {

class Brightness final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& /*rng*/) const override {
    change_image(sample, schema, [&](auto image) {
      using T = std::remove_pointer_t<decltype(image.pixels)>;
      const auto added = static_cast<float>(strength) * kRange<T>;
      for (int64_t i = 0; i < image.size(); ++i) {
        image.pixels[i] = to_pixel<T>(static_cast<float>(image.pixels[i]) + added);
      }
    });
  }

  StrengthRange range() const override { return {.min = -1, .max = 1, .neutral = 0}; }

  bool fits(const Schema& /*schema*/) const override { return true; }
};

}  // namespace

std::shared_ptr<const Transform> make_brightness() {
  return std::make_shared<Brightness>();
}

}  // namespace coppice::data
