#include <algorithm>
#include <array>
#include <cmath>

#include "data/transforms/corruptions/corruption.h"

namespace coppice::data {

namespace {

/// Source pixels of a target pixel whose mean it becomes.
struct Run {
  int64_t first;
  int64_t last;
};

/// As PIL's box filter: the pixels whose centres lie within half a target pixel of its centre; one
/// where pixels are repeated.
std::vector<Run> box_runs(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = 0.5 * std::max(scale, 1.0);
  std::vector<Run> runs;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    Run run{from, -1};
    for (int64_t k = 0; k < from; ++k) {
      const double distance = static_cast<double>(k) + 0.5 - centre;
      if (distance > -support && distance <= support) {
        run = {std::min(run.first, k), k};
      }
    }
    runs.push_back(run);
  }
  return runs;
}

class PixelateCorruption final : public Corruption {
  void corrupt(Pixels& image, size_t level, core::Rng& /*rng*/) const override {
    constexpr std::array<double, 5> kSize = {0.95, 0.9, 0.85, 0.75, 0.65};
    const auto shrunk = [&](int64_t size) {
      return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(size) * kSize[level]));
    };
    const int64_t height = shrunk(image.height);
    const int64_t width = shrunk(image.width);
    const auto rows_down = box_runs(image.height, height);
    const auto columns_down = box_runs(image.width, width);
    const auto rows_up = box_runs(height, image.height);
    const auto columns_up = box_runs(width, image.width);
    std::vector<float> small(static_cast<size_t>(height * width));
    for (int64_t c = 0; c < image.channels; ++c) {
      resize(image.plane(c), image.width, rows_down, columns_down, small.data());
      resize(small.data(), width, rows_up, columns_up, image.plane(c));
    }
  }

  static void resize(const float* source,
                     int64_t source_width,
                     const std::vector<Run>& rows,
                     const std::vector<Run>& columns,
                     float* target) {
    for (const Run& row : rows) {
      for (const Run& column : columns) {
        float sum = 0;
        for (int64_t y = row.first; y <= row.last; ++y) {
          for (int64_t x = column.first; x <= column.last; ++x) {
            sum += source[y * source_width + x];
          }
        }
        const int64_t count = (row.last - row.first + 1) * (column.last - column.first + 1);
        *target++ = sum / static_cast<float>(count);
      }
    }
  }
};

}  // namespace

std::shared_ptr<const Transform> make_cifar10c_pixelate() {
  return std::make_shared<PixelateCorruption>();
}

}  // namespace coppice::data
