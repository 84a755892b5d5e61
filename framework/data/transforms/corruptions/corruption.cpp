#include "data/transforms/corruptions/corruption.h"

#include <algorithm>
#include <cmath>

#include "data/transforms/image.h"

namespace coppice::data {

void Corruption::apply(std::span<std::byte> sample,
                       const Schema& schema,
                       double strength,
                       core::Rng& rng) const {
  const auto severity = static_cast<size_t>(std::llround(strength));
  if (severity == 0) {
    return;
  }
  change_image(sample, schema, [&](auto image) {
    using T = std::remove_pointer_t<decltype(image.pixels)>;
    thread_local Pixels pixels;
    pixels.channels = image.channels;
    pixels.height = image.height;
    pixels.width = image.width;
    pixels.values.assign(image.pixels, image.pixels + image.size());
    for (float& value : pixels.values) {
      value /= kRange<T>;
    }
    corrupt(pixels, severity - 1, rng);
    for (int64_t i = 0; i < image.size(); ++i) {
      const float value = std::clamp(pixels.values[static_cast<size_t>(i)], 0.0F, 1.0F);
      image.pixels[i] = to_pixel<T>(value * kRange<T>);
    }
  });
}

}  // namespace coppice::data
