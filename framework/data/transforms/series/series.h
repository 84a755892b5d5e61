#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "data/transform.h"
#include "data/transforms/image.h"

namespace coppice::data {

/// A change of sensor windows [channels, time].
class SeriesTransform : public Transform {
 public:
  bool fits(const Schema& schema) const override { return schema.sample_shape.size() == 2; }

  std::string_view needs() const override { return "windows [channels, time]"; }
};

/// Calls `change` with a pointer to u8 or f32 values [channels, time], and both extents.
template <class Change>
void change_series(std::span<std::byte> sample, const Schema& schema, Change&& change) {
  const int64_t channels = schema.sample_shape[0];
  const int64_t steps = schema.sample_shape[1];
  if (schema.type == ElementType::U8) {
    change(reinterpret_cast<uint8_t*>(sample.data()), channels, steps);
  } else {
    change(reinterpret_cast<float*>(sample.data()), channels, steps);
  }
}

/// A smooth random curve over `steps` time steps: the cubic spline through six evenly spaced values
/// drawn from N(1, σ²), as Um et al. (2017) warp with.
std::vector<double> random_curve(int64_t steps, double sigma, core::Rng& rng);

/// The cubic spline (not-a-knot) through `knots` (at least four) evenly spaced from the first to
/// the last of `steps` time steps.
std::vector<double> spline_through(const std::vector<double>& knots, int64_t steps);

}  // namespace coppice::data
