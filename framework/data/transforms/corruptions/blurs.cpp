#include <algorithm>
#include <array>
#include <cmath>

#include "data/transforms/corruptions/corruption.h"
#include "data/transforms/corruptions/filter.h"

namespace coppice::data {

namespace {

class GaussianBlurCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& /*rng*/) const override {
    constexpr std::array<double, 5> kSigma = {0.4, 0.6, 0.7, 0.8, 1};
    gaussian_filter(image, kSigma[level]);
  }
};

/// A disk whose edge is smoothed by a Gaussian of three taps.
std::vector<float> disk_kernel(double radius, double alias_sigma, int64_t side) {
  const int64_t middle = side / 2;
  std::vector<double> disk(static_cast<size_t>(side * side));
  double count = 0;
  for (int64_t i = 0; i < side * side; ++i) {
    const double y = static_cast<double>(i / side - middle);
    const double x = static_cast<double>(i % side - middle);
    disk[static_cast<size_t>(i)] = x * x + y * y <= radius * radius ? 1 : 0;
    count += disk[static_cast<size_t>(i)];
  }
  const double outer = std::exp(-0.5 / (alias_sigma * alias_sigma));
  const std::array<double, 3> taps = {
      outer / (1 + 2 * outer), 1 / (1 + 2 * outer), outer / (1 + 2 * outer)};
  std::vector<float> kernel(disk.size());
  for (int64_t y = 1; y + 1 < side; ++y) {
    for (int64_t x = 1; x + 1 < side; ++x) {
      for (int64_t i = 0; i < 9; ++i) {
        const auto target = static_cast<size_t>((y + i / 3 - 1) * side + x + i % 3 - 1);
        kernel[target] +=
            static_cast<float>(disk[static_cast<size_t>(y * side + x)] / count *
                               taps[static_cast<size_t>(i / 3)] * taps[static_cast<size_t>(i % 3)]);
      }
    }
  }
  return kernel;
}

class DefocusBlurCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& /*rng*/) const override {
    constexpr std::array<std::pair<double, double>, 5> kDisks = {
        {{0.3, 0.4}, {0.4, 0.5}, {0.5, 0.6}, {1, 0.2}, {1.5, 0.1}}};
    constexpr int64_t kSide = 5;  // the largest radius, and one pixel for the smoothing
    filter_2d(image, disk_kernel(kDisks[level].first, kDisks[level].second, kSide), kSide);
  }
};

/// Neighbouring pixels trade places, as behind rippled glass.
class GlassBlurCorruption final : public Corruption {
  struct Glass {
    double sigma;
    int64_t distance;
    int rounds;
  };

  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<Glass, 5> kGlass = {
        {{0.05, 1, 1}, {0.25, 1, 1}, {0.4, 1, 1}, {0.25, 1, 2}, {0.4, 1, 2}}};
    const Glass& glass = kGlass[level];
    gaussian_filter(image, glass.sigma);
    for (int round = 0; round < glass.rounds; ++round) {
      for (int64_t y = image.height - glass.distance; y-- > glass.distance;) {
        for (int64_t x = image.width - glass.distance; x-- > glass.distance;) {
          const int64_t other_x = x + rng.below(2 * glass.distance + 1) - glass.distance;
          const int64_t other_y = y + rng.below(2 * glass.distance + 1) - glass.distance;
          for (int64_t c = 0; c < image.channels; ++c) {
            float* plane = image.plane(c);
            std::swap(plane[y * image.width + x], plane[other_y * image.width + other_x]);
          }
        }
      }
    }
    gaussian_filter(image, glass.sigma);
  }
};

class MotionBlurCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<std::pair<int, double>, 5> kMotions = {
        {{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}}};
    const auto [radius, sigma] = kMotions[level];
    motion_filter(image, radius, sigma, rng.uniform(-45, 45));
  }
};

/// The mean of the image and of its enlargements about the centre.
class ZoomBlurCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& /*rng*/) const override {
    constexpr std::array<int, 5> kSteps = {5, 10, 15, 20, 25};  // of a hundredth
    thread_local Pixels enlarged;
    thread_local Pixels sum;
    sum = image;
    for (int step = 0; step <= kSteps[level]; ++step) {
      enlarged = image;
      zoom(enlarged, 1 + 0.01 * step);
      for (size_t i = 0; i < sum.values.size(); ++i) {
        sum.values[i] += enlarged.values[i];
      }
    }
    image = sum;
    for (float& value : image.values) {
      value /= static_cast<float>(kSteps[level] + 2);
    }
  }
};

}  // namespace

std::shared_ptr<const Transform> make_cifar10c_gaussian_blur() {
  return std::make_shared<GaussianBlurCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_defocus_blur() {
  return std::make_shared<DefocusBlurCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_glass_blur() {
  return std::make_shared<GlassBlurCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_motion_blur() {
  return std::make_shared<MotionBlurCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_zoom_blur() {
  return std::make_shared<ZoomBlurCorruption>();
}

}  // namespace coppice::data
