#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "data/transforms/corruptions/corruption.h"

namespace coppice::data {

namespace {

struct Hsv {
  float hue;  ///< 0…6
  float saturation;
  float value;
};

Hsv to_hsv(float r, float g, float b) {
  const float high = std::max({r, g, b});
  const float spread = high - std::min({r, g, b});
  if (spread <= 0) {
    return {0, 0, high};
  }
  float hue = 4 + (r - g) / spread;
  if (high == r) {
    hue = (g - b) / spread;
  } else if (high == g) {
    hue = 2 + (b - r) / spread;
  }
  return {hue < 0 ? hue + 6 : hue, spread / high, high};
}

std::array<float, 3> to_rgb(const Hsv& colour) {
  const auto channel = [&](float n) {
    const float k = std::fmod(n + colour.hue, 6.0F);
    const float share = std::clamp(std::min(k, 4 - k), 0.0F, 1.0F);
    return colour.value * (1 - colour.saturation * share);
  };
  return {channel(5), channel(3), channel(1)};
}

template <class Change>
void change_hsv(Pixels& image, const Change& change) {
  for (int64_t i = 0; i < image.height * image.width; ++i) {
    const Hsv changed = change(to_hsv(image.plane(0)[i], image.plane(1)[i], image.plane(2)[i]));
    const std::array<float, 3> rgb = to_rgb(changed);
    for (size_t c = 0; c < rgb.size(); ++c) {
      image.plane(static_cast<int64_t>(c))[i] = rgb[c];
    }
  }
}

/// Adds to the value of hue, saturation and value; to the pixel itself where it is no RGB.
class BrightnessCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& /*rng*/) const override {
    constexpr std::array<float, 5> kAdded = {0.05F, 0.1F, 0.15F, 0.2F, 0.3F};
    if (image.channels == 3) {
      change_hsv(image, [&](const Hsv& colour) {
        return Hsv{colour.hue, colour.saturation, std::min(colour.value + kAdded[level], 1.0F)};
      });
      return;
    }
    for (float& value : image.values) {
      value += kAdded[level];
    }
  }
};

class ContrastCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& /*rng*/) const override {
    constexpr std::array<double, 5> kFactor = {0.75, 0.5, 0.4, 0.3, 0.15};
    const int64_t size = image.height * image.width;
    for (int64_t c = 0; c < image.channels; ++c) {
      float* plane = image.plane(c);
      const double mean = std::accumulate(plane, plane + size, 0.0) / static_cast<double>(size);
      for (int64_t i = 0; i < size; ++i) {
        plane[i] =
            static_cast<float>((static_cast<double>(plane[i]) - mean) * kFactor[level] + mean);
      }
    }
  }
};

class SaturateCorruption final : public Corruption {
 public:
  bool fits(const Schema& schema) const override {
    return Corruption::fits(schema) && schema.sample_shape.front() == 3;
  }

  std::string_view needs() const override { return "RGB images [3, height, width]"; }

 private:
  void corrupt(Pixels& image, size_t level, core::Rng& /*rng*/) const override {
    constexpr std::array<std::pair<float, float>, 5> kChange = {
        {{0.3F, 0}, {0.1F, 0}, {1.5F, 0}, {2, 0.1F}, {2.5F, 0.2F}}};
    const auto [factor, added] = kChange[level];
    change_hsv(image, [&](const Hsv& colour) {
      return Hsv{
          colour.hue, std::clamp(colour.saturation * factor + added, 0.0F, 1.0F), colour.value};
    });
  }
};

}  // namespace

std::shared_ptr<const Transform> make_cifar10c_brightness() {
  return std::make_shared<BrightnessCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_contrast() {
  return std::make_shared<ContrastCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_saturate() {
  return std::make_shared<SaturateCorruption>();
}

}  // namespace coppice::data
