#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/transform.h"

namespace coppice::data {

/// An image as shares of the range, planar.
struct Pixels {
  std::vector<float> values;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;

  float* plane(int64_t channel) { return values.data() + channel * height * width; }

  const float* plane(int64_t channel) const { return values.data() + channel * height * width; }
};

/// A corruption of CIFAR-10-C (Hendrycks and Dietterich, "Benchmarking neural network robustness to
/// common corruptions and perturbations", 2019) in five severities; its strength is the severity,
/// rounded, and 0 leaves the image as it is.
///
/// Results are clipped to the range, of floats too, which must lie in 0…1. Bytes are rounded, where
/// the published files cut off.
class Corruption : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& rng) const final;

  StrengthRange range() const final { return {.min = 0, .max = 5, .neutral = 0}; }

 private:
  /// `level` is the severity from 0.
  virtual void corrupt(Pixels& image, size_t level, core::Rng& rng) const = 0;
};

std::shared_ptr<const Transform> make_cifar10c_gaussian_noise();
std::shared_ptr<const Transform> make_cifar10c_shot_noise();
std::shared_ptr<const Transform> make_cifar10c_impulse_noise();
std::shared_ptr<const Transform> make_cifar10c_speckle_noise();
std::shared_ptr<const Transform> make_cifar10c_gaussian_blur();
std::shared_ptr<const Transform> make_cifar10c_defocus_blur();
std::shared_ptr<const Transform> make_cifar10c_glass_blur();
std::shared_ptr<const Transform> make_cifar10c_motion_blur();
std::shared_ptr<const Transform> make_cifar10c_zoom_blur();
std::shared_ptr<const Transform> make_cifar10c_snow();
std::shared_ptr<const Transform> make_cifar10c_fog();
std::shared_ptr<const Transform> make_cifar10c_brightness();
std::shared_ptr<const Transform> make_cifar10c_contrast();
std::shared_ptr<const Transform> make_cifar10c_saturate();
std::shared_ptr<const Transform> make_cifar10c_pixelate();
std::shared_ptr<const Transform> make_cifar10c_jpeg_compression();
std::shared_ptr<const Transform> make_cifar10c_elastic_transform();

}  // namespace coppice::data
