#include <algorithm>
#include <array>

#include "data/transforms/corruptions/corruption.h"
#include "data/transforms/gaussian.h"
#include "data/transforms/poisson.h"

namespace coppice::data {

namespace {

class GaussianNoiseCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<double, 5> kSigma = {0.04, 0.06, 0.08, 0.09, 0.10};
    for (float& value : image.values) {
      value += static_cast<float>(kSigma[level] * Ziggurat::instance().draw(rng));
    }
  }
};

/// Light arrives in photons: their number is Poisson distributed.
class ShotNoiseCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<double, 5> kPhotons = {500, 250, 100, 75, 50};
    for (float& value : image.values) {
      const double mean = std::max(0.0, static_cast<double>(value)) * kPhotons[level];
      value = static_cast<float>(static_cast<double>(draw_poisson(mean, rng)) / kPhotons[level]);
    }
  }
};

class ImpulseNoiseCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<double, 5> kAmount = {0.01, 0.02, 0.03, 0.05, 0.07};
    for (float& value : image.values) {
      if (rng.bernoulli(kAmount[level])) {
        value = rng.bernoulli(0.5) ? 1.0F : 0.0F;
      }
    }
  }
};

class SpeckleNoiseCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<double, 5> kSigma = {0.06, 0.1, 0.12, 0.16, 0.2};
    for (float& value : image.values) {
      value += value * static_cast<float>(kSigma[level] * Ziggurat::instance().draw(rng));
    }
  }
};

}  // namespace

std::shared_ptr<const Transform> make_cifar10c_gaussian_noise() {
  return std::make_shared<GaussianNoiseCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_shot_noise() {
  return std::make_shared<ShotNoiseCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_impulse_noise() {
  return std::make_shared<ImpulseNoiseCorruption>();
}

std::shared_ptr<const Transform> make_cifar10c_speckle_noise() {
  return std::make_shared<SpeckleNoiseCorruption>();
}

}  // namespace coppice::data
