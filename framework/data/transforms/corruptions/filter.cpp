#include "data/transforms/corruptions/filter.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace coppice::data {

namespace {

int64_t nearest_index(int64_t i, int64_t size) {
  return std::clamp(i, int64_t{0}, size - 1);
}

/// "cba|abc|cba".
int64_t reflected_index(int64_t i, int64_t size) {
  const int64_t period = 2 * size;
  const int64_t wrapped = ((i % period) + period) % period;
  return wrapped < size ? wrapped : period - 1 - wrapped;
}

/// "cb|abc|ba".
int64_t mirrored_index(int64_t i, int64_t size) {
  if (size == 1) {
    return 0;
  }
  const int64_t period = 2 * (size - 1);
  const int64_t wrapped = ((i % period) + period) % period;
  return wrapped < size ? wrapped : period - wrapped;
}

std::vector<double> gaussian_weights(double sigma, double truncate) {
  const auto radius = static_cast<int64_t>(truncate * sigma + 0.5);
  std::vector<double> weights;
  double sum = 0;
  for (int64_t i = -radius; i <= radius; ++i) {
    weights.push_back(std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma)));
    sum += weights.back();
  }
  for (double& weight : weights) {
    weight /= sum;
  }
  return weights;
}

/// Blurs `count` values that lie `stride` apart.
template <class Index>
void blur_line(float* line,
               int64_t count,
               int64_t stride,
               const std::vector<double>& weights,
               const Index& index) {
  thread_local std::vector<double> copy;
  copy.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    copy[static_cast<size_t>(i)] = static_cast<double>(line[i * stride]);
  }
  const auto radius = static_cast<int64_t>(weights.size() / 2);
  for (int64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int64_t k = -radius; k <= radius; ++k) {
      sum +=
          weights[static_cast<size_t>(k + radius)] * copy[static_cast<size_t>(index(i + k, count))];
    }
    line[i * stride] = static_cast<float>(sum);
  }
}

template <class Index>
void blur_plane_with(float* plane,
                     int64_t height,
                     int64_t width,
                     const std::vector<double>& weights,
                     const Index& index) {
  for (int64_t x = 0; x < width; ++x) {
    blur_line(plane + x, height, width, weights, index);
  }
  for (int64_t y = 0; y < height; ++y) {
    blur_line(plane + y * width, width, 1, weights, index);
  }
}

/// Where the pixels of an enlarged image come from, along one side.
struct ZoomAxis {
  double start;
  double step;
  int64_t trimmed;

  ZoomAxis(int64_t size, double factor) {
    const auto cut = static_cast<int64_t>(std::ceil(static_cast<double>(size) / factor));
    const int64_t enlarged = std::llrint(static_cast<double>(cut) * factor);
    start = static_cast<double>((size - cut) / 2);
    step = enlarged > 1 ? static_cast<double>(cut - 1) / static_cast<double>(enlarged - 1) : 0;
    trimmed = (enlarged - size) / 2;
  }

  double source(int64_t i) const { return start + step * static_cast<double>(i + trimmed); }
};

}  // namespace

void gaussian_filter(Pixels& image, double sigma, double truncate) {
  const std::vector<double> weights = gaussian_weights(sigma, truncate);
  for (int64_t c = 0; c < image.channels; ++c) {
    blur_plane_with(image.plane(c), image.height, image.width, weights, nearest_index);
  }
}

void gaussian_filter_reflected(
    std::vector<float>& plane, int64_t height, int64_t width, double sigma, double truncate) {
  blur_plane_with(plane.data(), height, width, gaussian_weights(sigma, truncate), reflected_index);
}

void filter_2d(Pixels& image, const std::vector<float>& kernel, int64_t side) {
  thread_local std::vector<float> copy;
  copy = image.values;
  const int64_t radius = side / 2;
  const int64_t plane_size = image.height * image.width;
  for (int64_t c = 0; c < image.channels; ++c) {
    const float* source = copy.data() + c * plane_size;
    float* target = image.plane(c);
    for (int64_t y = 0; y < image.height; ++y) {
      for (int64_t x = 0; x < image.width; ++x) {
        float sum = 0;
        for (int64_t i = 0; i < side; ++i) {
          const float* row = source + mirrored_index(y + i - radius, image.height) * image.width;
          for (int64_t k = 0; k < side; ++k) {
            sum += kernel[static_cast<size_t>(i * side + k)] *
                   row[mirrored_index(x + k - radius, image.width)];
          }
        }
        target[y * image.width + x] = sum;
      }
    }
  }
}

void motion_filter(Pixels& image, int radius, double sigma, double degrees) {
  struct Tap {
    int64_t x;
    int64_t y;
    float weight;
  };

  const double angle = degrees * std::numbers::pi / 180;
  std::vector<Tap> taps;
  double sum = 0;
  for (int i = 0; i < 2 * radius + 1; ++i) {
    const double weight = std::exp(-0.5 * i * i / (sigma * sigma));
    taps.push_back({static_cast<int64_t>(std::ceil(i * std::cos(angle) - 0.5)),
                    static_cast<int64_t>(std::ceil(i * std::sin(angle) - 0.5)),
                    static_cast<float>(weight)});
    sum += weight;
  }
  thread_local std::vector<float> copy;
  copy = image.values;
  const int64_t plane_size = image.height * image.width;
  for (int64_t c = 0; c < image.channels; ++c) {
    for (int64_t i = 0; i < plane_size; ++i) {
      float blurred = 0;
      for (const Tap& tap : taps) {
        const int64_t y = nearest_index(i / image.width + tap.y, image.height);
        const int64_t x = nearest_index(i % image.width + tap.x, image.width);
        blurred += tap.weight * copy[static_cast<size_t>(c * plane_size + y * image.width + x)];
      }
      image.plane(c)[i] = blurred / static_cast<float>(sum);
    }
  }
}

void zoom(Pixels& image, double factor) {
  thread_local std::vector<float> copy;
  copy = image.values;
  const ZoomAxis rows(image.height, factor);
  const ZoomAxis columns(image.width, factor);
  const int64_t plane_size = image.height * image.width;
  for (int64_t c = 0; c < image.channels; ++c) {
    for (int64_t i = 0; i < plane_size; ++i) {
      image.plane(c)[i] = bilinear(copy.data() + c * plane_size,
                                   image.height,
                                   image.width,
                                   rows.source(i / image.width),
                                   columns.source(i % image.width));
    }
  }
}

float bilinear(const float* plane, int64_t height, int64_t width, double y, double x) {
  const double inside_y = std::clamp(y, 0.0, static_cast<double>(height - 1));
  const double inside_x = std::clamp(x, 0.0, static_cast<double>(width - 1));
  const auto top = static_cast<int64_t>(inside_y);
  const auto left = static_cast<int64_t>(inside_x);
  const int64_t bottom = std::min(top + 1, height - 1);
  const int64_t right = std::min(left + 1, width - 1);
  const double fy = inside_y - static_cast<double>(top);
  const double fx = inside_x - static_cast<double>(left);
  const auto at = [&](int64_t row, int64_t column) {
    return static_cast<double>(plane[row * width + column]);
  };
  const double above = at(top, left) * (1 - fx) + at(top, right) * fx;
  const double below = at(bottom, left) * (1 - fx) + at(bottom, right) * fx;
  return static_cast<float>(above * (1 - fy) + below * fy);
}

}  // namespace coppice::data
