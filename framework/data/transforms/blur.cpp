#include <algorithm>
#include <array>
#include <cmath>

#include "data/transforms/all.h"
#include "data/transforms/image.h"

namespace coppice::data {

namespace {

constexpr double kMaxSigma = 10;

/// The weights of a Gaussian, cut off at three σ: the middle and one side.
struct Kernel {
  int64_t radius;
  std::array<float, static_cast<size_t>(3 * kMaxSigma) + 1> weights;
};

Kernel make_kernel(double sigma) {
  Kernel kernel{static_cast<int64_t>(std::ceil(3 * sigma)), {}};
  double sum = 0;
  for (int64_t i = 0; i <= kernel.radius; ++i) {
    const double distance = static_cast<double>(i) / sigma;
    const double weight = std::exp(-0.5 * distance * distance);
    kernel.weights[static_cast<size_t>(i)] = static_cast<float>(weight);
    sum += i == 0 ? weight : 2 * weight;
  }
  for (float& weight : kernel.weights) {
    weight = static_cast<float>(static_cast<double>(weight) / sum);
  }
  return kernel;
}

/// `row[k]` for 0 <= k < width becomes the blurred row; `padded` has `radius` more values on each
/// side.
void blur_row(const float* padded, const Kernel& kernel, int64_t width, float* row) {
  const float* middle = padded + kernel.radius;
  for (int64_t k = 0; k < width; ++k) {
    row[k] = kernel.weights[0] * middle[k];
  }
  for (int64_t i = 1; i <= kernel.radius; ++i) {
    const float weight = kernel.weights[static_cast<size_t>(i)];
    for (int64_t k = 0; k < width; ++k) {
      row[k] += weight * (middle[k - i] + middle[k + i]);
    }
  }
}

template <class T>
void blur_plane(T* plane, int64_t height, int64_t width, const Kernel& kernel) {
  // scratch: one padded row (later one sum row), then the rows blurred sideways.
  std::vector<float>& memory = scratch<float>();
  const int64_t padded_width = width + 2 * kernel.radius;
  memory.resize(static_cast<size_t>(padded_width + height * width));
  float* padded = memory.data();
  float* rows = padded + padded_width;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < padded_width; ++x) {
      const int64_t source = std::clamp(x - kernel.radius, int64_t{0}, width - 1);
      padded[x] = static_cast<float>(plane[y * width + source]);
    }
    blur_row(padded, kernel, width, rows + y * width);
  }
  float* sum = padded;
  for (int64_t y = 0; y < height; ++y) {
    const float* middle = rows + y * width;
    for (int64_t x = 0; x < width; ++x) {
      sum[x] = kernel.weights[0] * middle[x];
    }
    for (int64_t i = 1; i <= kernel.radius; ++i) {
      const float weight = kernel.weights[static_cast<size_t>(i)];
      const float* above = rows + std::max(int64_t{0}, y - i) * width;
      const float* below = rows + std::min(height - 1, y + i) * width;
      for (int64_t x = 0; x < width; ++x) {
        sum[x] += weight * (above[x] + below[x]);
      }
    }
    for (int64_t x = 0; x < width; ++x) {
      plane[y * width + x] = to_pixel<T>(sum[x]);
    }
  }
}

class Blur final : public Transform {
 public:
  void apply(std::span<std::byte> sample,
             const Schema& schema,
             double strength,
             core::Rng& /*rng*/) const override {
    if (strength == 0) {
      return;
    }
    const Kernel kernel = make_kernel(strength);
    change_image(sample, schema, [&](auto image) {
      for (int64_t c = 0; c < image.channels; ++c) {
        blur_plane(image.plane(c), image.height, image.width, kernel);
      }
    });
  }

  StrengthRange range() const override { return {.min = 0, .max = kMaxSigma, .neutral = 0}; }
};

}  // namespace

std::shared_ptr<const Transform> make_blur() {
  return std::make_shared<Blur>();
}

}  // namespace coppice::data
