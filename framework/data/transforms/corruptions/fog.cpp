#include <algorithm>
#include <array>

#include "data/transforms/corruptions/corruption.h"

namespace coppice::data {

namespace {

/// A square of fractal noise in 0…1 that repeats at its edges: the diamond-square algorithm of
/// Fournier, Fussell and Carpenter ("Computer rendering of stochastic models", 1982).
class PlasmaFractal {
 public:
  /// REQUIRES: `side` is a power of two.
  PlasmaFractal(int64_t side, double decay, core::Rng& rng)
      : side_(side), map_(static_cast<size_t>(side * side)) {
    double wobble = 100;
    for (int64_t step = side; step >= 2; step /= 2) {
      fill_squares(step, wobble, rng);
      fill_diamonds(step, wobble, rng);
      wobble /= decay;
    }
    const auto [low, high] = std::minmax_element(map_.begin(), map_.end());
    const double least = *low;
    const double spread = *high - least;
    for (double& value : map_) {
      value = spread > 0 ? (value - least) / spread : 0;
    }
  }

  double at(int64_t y, int64_t x) const { return map_[index(y, x)]; }

 private:
  size_t index(int64_t y, int64_t x) const {
    return static_cast<size_t>(((y + side_) % side_) * side_ + (x + side_) % side_);
  }

  void set(int64_t y, int64_t x, double sum_of_four, double wobble, core::Rng& rng) {
    map_[index(y, x)] = sum_of_four / 4 + wobble * rng.uniform(-wobble, wobble);
  }

  void fill_squares(int64_t step, double wobble, core::Rng& rng) {
    for (int64_t y = 0; y < side_; y += step) {
      for (int64_t x = 0; x < side_; x += step) {
        const double sum = at(y, x) + at(y + step, x) + at(y, x + step) + at(y + step, x + step);
        set(y + step / 2, x + step / 2, sum, wobble, rng);
      }
    }
  }

  void fill_diamonds(int64_t step, double wobble, core::Rng& rng) {
    const int64_t half = step / 2;
    const auto fill = [&](int64_t y, int64_t x) {
      const double sum = at(y - half, x) + at(y + half, x) + at(y, x - half) + at(y, x + half);
      set(y, x, sum, wobble, rng);
    };
    for (int64_t y = 0; y < side_; y += step) {
      for (int64_t x = 0; x < side_; x += step) {
        fill(y, x + half);
        fill(y + half, x);
      }
    }
  }

  int64_t side_;
  std::vector<double> map_;
};

class FogCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<std::pair<double, double>, 5> kFog = {
        {{0.2, 3}, {0.5, 3}, {0.75, 2.5}, {1, 2}, {1.5, 1.75}}};
    const auto [density, decay] = kFog[level];
    int64_t side = 2;
    while (side < std::max(image.height, image.width)) {
      side *= 2;
    }
    const PlasmaFractal plasma(side, decay, rng);
    const double brightest =
        static_cast<double>(*std::max_element(image.values.begin(), image.values.end()));
    const double dimmed = brightest / (brightest + density);
    for (int64_t c = 0; c < image.channels; ++c) {
      for (int64_t i = 0; i < image.height * image.width; ++i) {
        const double fog = density * plasma.at(i / image.width, i % image.width);
        float& value = image.plane(c)[i];
        value = static_cast<float>((static_cast<double>(value) + fog) * dimmed);
      }
    }
  }
};

}  // namespace

std::shared_ptr<const Transform> make_cifar10c_fog() {
  return std::make_shared<FogCorruption>();
}

}  // namespace coppice::data
