#include <numeric>

#include "data/transforms/all.h"
#include "data/transforms/image.h"

namespace coppice::data {

namespace {

/// About each channel's mean, as in ImageNet-C (Hendrycks and Dietterich, 2019).
class Contrast final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& /*rng*/) const override {
    if (strength == 1) {
      return;
    }
    change_image(sample, schema, [&](auto image) {
      using T = std::remove_pointer_t<decltype(image.pixels)>;
      using Sum = std::conditional_t<std::is_same_v<T, uint8_t>, int64_t, double>;
      const auto factor = static_cast<float>(strength);
      for (int64_t c = 0; c < image.channels; ++c) {
        T* plane = image.plane(c);
        const Sum sum = std::accumulate(plane, plane + image.plane_size(), Sum{});
        const auto mean =
            static_cast<float>(static_cast<double>(sum) / static_cast<double>(image.plane_size()));
        for (int64_t i = 0; i < image.plane_size(); ++i) {
          plane[i] = to_pixel<T>(mean + factor * (static_cast<float>(plane[i]) - mean));
        }
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = 4, .neutral = 1}; }
};

}  // namespace

std::shared_ptr<const Transform> make_contrast() {
  return std::make_shared<Contrast>();
}

}  // namespace coppice::data
