#include <algorithm>
#include <array>

#include "data/transforms/corruptions/corruption.h"
#include "data/transforms/corruptions/filter.h"
#include "data/transforms/gaussian.h"

namespace coppice::data {

namespace {

/// Flakes are the peaks of enlarged noise, blurred as they fall; the scene turns paler. Half of
/// them come from the layer turned by half a turn.
class SnowCorruption final : public Corruption {
  struct Snow {
    double mean;
    double sigma;
    double zoom;
    float threshold;
    int radius;
    double blur;
    float kept;
  };

  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<Snow, 5> kSnow = {{{0.1, 0.2, 1, 0.6F, 8, 3, 0.95F},
                                            {0.1, 0.2, 1, 0.5F, 10, 4, 0.9F},
                                            {0.15, 0.3, 1.75, 0.55F, 10, 4, 0.9F},
                                            {0.25, 0.3, 2.25, 0.6F, 12, 6, 0.85F},
                                            {0.3, 0.3, 1.25, 0.65F, 14, 12, 0.8F}}};
    const Snow& snow = kSnow[level];
    const Pixels flakes = make_flakes(image, snow, rng);
    const size_t size = flakes.values.size();
    for (size_t i = 0; i < size; ++i) {
      const float pale = grey(image, i) * 1.5F + 0.5F;
      const float fallen = flakes.values[i] + flakes.values[size - 1 - i];
      for (int64_t c = 0; c < image.channels; ++c) {
        float& value = image.plane(c)[i];
        value = snow.kept * value + (1 - snow.kept) * std::max(value, pale) + fallen;
      }
    }
  }

  static Pixels make_flakes(const Pixels& image, const Snow& snow, core::Rng& rng) {
    Pixels flakes;
    flakes.channels = 1;
    flakes.height = image.height;
    flakes.width = image.width;
    flakes.values.resize(static_cast<size_t>(image.height * image.width));
    for (float& value : flakes.values) {
      value = static_cast<float>(snow.mean + snow.sigma * Ziggurat::instance().draw(rng));
    }
    zoom(flakes, snow.zoom);
    for (float& value : flakes.values) {
      value = value < snow.threshold ? 0.0F : std::min(value, 1.0F);
    }
    motion_filter(flakes, snow.radius, snow.blur, rng.uniform(-135, -45));
    return flakes;
  }

  /// Luma (ITU-R BT.601) of RGB, the mean of anything else.
  static float grey(const Pixels& image, size_t i) {
    if (image.channels == 3) {
      return 0.299F * image.plane(0)[i] + 0.587F * image.plane(1)[i] + 0.114F * image.plane(2)[i];
    }
    float sum = 0;
    for (int64_t c = 0; c < image.channels; ++c) {
      sum += image.plane(c)[i];
    }
    return sum / static_cast<float>(image.channels);
  }
};

}  // namespace

std::shared_ptr<const Transform> make_cifar10c_snow() {
  return std::make_shared<SnowCorruption>();
}

}  // namespace coppice::data
