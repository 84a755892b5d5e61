#include <algorithm>
#include <array>
#include <cmath>

#include "data/transforms/corruptions/corruption.h"
#include "data/transforms/corruptions/filter.h"

namespace coppice::data {

namespace {

struct Point {
  double x;
  double y;
};

/// Maps three points to three others: x' = xx·x + xy·y + x0, y' likewise.
struct AffineMap {
  double xx;
  double xy;
  double x0;
  double yx;
  double yy;
  double y0;

  Point apply(double x, double y) const { return {xx * x + xy * y + x0, yx * x + yy * y + y0}; }
};

AffineMap map_between(const std::array<Point, 3>& from, const std::array<Point, 3>& to) {
  const double x1 = from[1].x - from[0].x;
  const double y1 = from[1].y - from[0].y;
  const double x2 = from[2].x - from[0].x;
  const double y2 = from[2].y - from[0].y;
  const double determinant = x1 * y2 - x2 * y1;
  const auto row = [&](double u0, double u1, double u2) {
    const double by_x = ((u1 - u0) * y2 - (u2 - u0) * y1) / determinant;
    const double by_y = ((u2 - u0) * x1 - (u1 - u0) * x2) / determinant;
    return std::array<double, 3>{by_x, by_y, u0 - by_x * from[0].x - by_y * from[0].y};
  };
  const auto x = row(to[0].x, to[1].x, to[2].x);
  const auto y = row(to[0].y, to[1].y, to[2].y);
  return {x[0], x[1], x[2], y[0], y[1], y[2]};
}

/// "cb|abc|ba", of a coordinate.
double mirrored(double position, int64_t size) {
  const double last = static_cast<double>(size - 1);
  if (last <= 0) {
    return 0;
  }
  const double wrapped = std::fmod(std::abs(position), 2 * last);
  return wrapped <= last ? wrapped : 2 * last - wrapped;
}

/// Simard, Steinkraus and Platt ("Best practices for convolutional neural networks", 2003): a
/// random affine map, then displacements smoothed by a Gaussian. Lengths are shares of the shorter
/// side.
class ElasticCorruption final : public Corruption {
  struct Elastic {
    double amplitude;
    double smoothness;
    double affine;
  };

  void corrupt(Pixels& image, size_t level, core::Rng& rng) const override {
    constexpr std::array<Elastic, 5> kElastic = {{{0, 0, 0.08},
                                                  {0.05, 0.2, 0.07},
                                                  {0.08, 0.06, 0.06},
                                                  {0.1, 0.04, 0.05},
                                                  {0.1, 0.03, 0.03}}};
    const Elastic& elastic = kElastic[level];
    const auto side = static_cast<double>(std::min(image.height, image.width));
    map_affinely(image, elastic.affine * side, rng);
    if (elastic.amplitude > 0) {
      const auto right = displacements(image, elastic, side, rng);
      const auto down = displacements(image, elastic, side, rng);
      resample(image, [&](int64_t y, int64_t x) {
        const auto i = static_cast<size_t>(y * image.width + x);
        return Point{static_cast<double>(x) + static_cast<double>(right[i]),
                     static_cast<double>(y) + static_cast<double>(down[i])};
      });
    }
  }

  static void map_affinely(Pixels& image, double distance, core::Rng& rng) {
    const auto middle_x = static_cast<double>(image.width / 2);
    const auto middle_y = static_cast<double>(image.height / 2);
    const auto square =
        static_cast<double>(std::max<int64_t>(1, std::min(image.height, image.width) / 3));
    const std::array<Point, 3> corners = {{{middle_x + square, middle_y + square},
                                           {middle_x + square, middle_y - square},
                                           {middle_x - square, middle_y - square}}};
    std::array<Point, 3> moved = corners;
    for (Point& corner : moved) {
      corner.x += rng.uniform(-distance, distance);
      corner.y += rng.uniform(-distance, distance);
    }
    const AffineMap back = map_between(moved, corners);
    resample(image, [&](int64_t y, int64_t x) {
      const Point source = back.apply(static_cast<double>(x), static_cast<double>(y));
      return Point{mirrored(source.x, image.width), mirrored(source.y, image.height)};
    });
  }

  static std::vector<float> displacements(const Pixels& image,
                                          const Elastic& elastic,
                                          double side,
                                          core::Rng& rng) {
    std::vector<float> field(static_cast<size_t>(image.height * image.width));
    for (float& value : field) {
      value = static_cast<float>(rng.uniform(-1, 1));
    }
    gaussian_filter_reflected(field, image.height, image.width, elastic.smoothness * side, 3);
    for (float& value : field) {
      value *= static_cast<float>(elastic.amplitude * side);
    }
    return field;
  }

  template <class Source>
  static void resample(Pixels& image, const Source& source) {
    thread_local std::vector<float> copy;
    copy = image.values;
    const int64_t plane_size = image.height * image.width;
    for (int64_t y = 0; y < image.height; ++y) {
      for (int64_t x = 0; x < image.width; ++x) {
        const Point from = source(y, x);
        for (int64_t c = 0; c < image.channels; ++c) {
          image.plane(c)[y * image.width + x] =
              bilinear(copy.data() + c * plane_size, image.height, image.width, from.y, from.x);
        }
      }
    }
  }
};

}  // namespace

std::shared_ptr<const Transform> make_cifar10c_elastic_transform() {
  return std::make_shared<ElasticCorruption>();
}

}  // namespace coppice::data
